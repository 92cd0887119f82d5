"""DELETE is PRU's L_p over all weights and nothing else."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from pru_demo.data.samples import crop_and_flip
from pru_demo.methods import delete as module
from pru_demo.methods.delete import delete
from pru_demo.methods.losses import l_p
from pru_demo.methods.pru import pru
from pru_demo.methods.step import ForgetSet
from pru_demo.models.split import SplitModel
from pru_demo.parameters import FineTuningParams, PRUParams
from tests.same import changed, frozen
from tests.spy import spied

PARAMS = FineTuningParams(learning_rate=0.05, epochs=2, batch_size=20)
ONE_BATCH = replace(PARAMS, epochs=1, batch_size=48)


def test_one_batch_is_one_step_down_the_kl_to_the_masked_original(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    x = nines.images / 255
    by_hand = deepcopy(tiny).train()
    with torch.no_grad():
        z = tiny(x)
        z[:, 9] = -1e10
        targets = z.softmax(1)
    log_p = by_hand(x).log_softmax(1)
    loss = (torch.xlogy(targets, targets) - targets * log_p).sum(1).mean()
    loss.backward()

    (step,) = delete(tiny, nines, ONE_BATCH)
    for before, after in zip(by_hand.parameters(), step.model.parameters(), strict=True):
        assert before.grad is not None
        torch.testing.assert_close(after, before - 0.05 * before.grad, rtol=0, atol=1e-5)
    assert step.losses == {"L_p": pytest.approx(loss.item(), rel=1e-4)}


def test_it_moves_the_extractor_as_an_e_step_with_l_p_alone(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    alone = PRUParams(0.05, 0.0, lambda_o=0.0, lambda_s=0.0, batch_size=48, weight_decay=0.0)
    e_step = next(pru(tiny, nines, alone))
    (step,) = delete(tiny, nines, ONE_BATCH)
    for one, other in zip(
        e_step.model.extractor_parameters(), step.model.extractor_parameters(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_all_forgotten_classes_are_masked(
    tiny: SplitModel, threes_and_nines: ForgetSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    monkeypatch.setattr(module, "l_p", lambda s, t: seen.append(t) or l_p(s, t))
    list(delete(tiny, threes_and_nines, PARAMS))
    assert len(seen) == 2 * 3
    for targets in seen:
        assert (targets[:, [3, 9]] == 0).all()
        torch.testing.assert_close(targets.sum(1), torch.ones(len(targets)))


def test_targets_of_augmented_images_are_those_of_the_very_inputs(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    spy, seen = spied(tiny)
    steps = delete(spy, replace(nines, augment=crop_and_flip), PARAMS)
    costs = [step.forward_equivalents for step in steps]
    assert costs == [48 * 4, 48 * 8]
    student, teacher = seen[::2], seen[1::2]
    for learned, asked in zip(student, teacher, strict=True):
        assert learned.training
        assert not asked.training
        assert torch.equal(learned.images, asked.images)


def test_cost_of_fixed_images_is_one_pass_and_three_per_epoch(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    assert [s.forward_equivalents for s in delete(tiny, nines, PARAMS)] == [48 * 4, 48 * 7]


def test_all_weights_move(tiny: SplitModel, nines: ForgetSet) -> None:
    *_, last = delete(tiny, nines, PARAMS)
    before = frozen(tiny)
    assert changed(before, last.model) == set(before)
