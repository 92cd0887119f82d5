"""The original that stays, and the network that never saw the class."""

from typing import Any

import pytest
import torch

from pru_demo.models.split import SplitModel
from pru_demo.unlearning.parameters import NoParams, RetrainParams
from pru_demo.unlearning.references import keep, reinitialised, retrain
from pru_demo.unlearning.step import ForgetSet, RetainSet
from tests.same import changed, frozen, same

PARAMS = RetrainParams(learning_rate=0.05, weight_decay=1e-4, epochs=3)


@pytest.fixture
def others(few: Any) -> RetainSet:
    return RetainSet(*few(40, tuple(range(9))))


def test_keeping_the_original_takes_no_step(tiny: SplitModel, nines: ForgetSet) -> None:
    assert list(keep(tiny, nines, NoParams())) == []


def test_reinitialised_network_shares_nothing_with_its_model(tiny: SplitModel) -> None:
    fresh = reinitialised(tiny, seed=1)
    assert changed(frozen(tiny), fresh) >= {
        "extractor.0.weight",
        "extractor.1.running_mean",
        "extractor.1.running_var",
        "classifier.weight",
        "classifier.bias",
    }
    assert (fresh.state_dict()["extractor.1.running_mean"] == 0).all()


def test_reinitialising_depends_on_the_seed_only(tiny: SplitModel) -> None:
    state = torch.get_rng_state()
    one, other = reinitialised(tiny, 1), reinitialised(tiny, 2)
    assert torch.equal(state, torch.get_rng_state())
    assert same(frozen(one), frozen(reinitialised(tiny, 1)))
    assert not same(frozen(one), frozen(other))


def test_retraining_learns_the_others_and_never_the_class(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet
) -> None:
    before = frozen(tiny)
    steps = [(step.epoch, step.phase, step.losses) for step in retrain(tiny, nines, others, PARAMS)]
    *_, last = retrain(tiny, nines, others, PARAMS)
    assert not changed(before, tiny)
    assert [(epoch, phase) for epoch, phase, _ in steps] == [(1, "all"), (2, "all"), (3, "all")]
    assert steps[-1][2]["cross-entropy"] < steps[0][2]["cross-entropy"]
    assert last.forward_equivalents == 3 * 3 * len(others.images)
    with torch.no_grad():
        predicted = last.model.eval()(nines.images.float() / 255).argmax(1)
    assert not (predicted == 9).any()


def test_retraining_does_not_look_at_the_original_weights(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet
) -> None:
    *_, one = retrain(tiny, nines, others, PARAMS)
    *_, other = retrain(reinitialised(tiny, 5), nines, others, PARAMS)
    assert same(frozen(one.model), frozen(other.model))
