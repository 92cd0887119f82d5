"""The original that stays, and the network that never saw the class."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pru_demo.data import DATASETS
from pru_demo.data.samples import crop_and_flip
from pru_demo.methods import references as module
from pru_demo.methods.references import keep, reinitialised, retrain
from pru_demo.methods.step import ForgetSet, RetainSet
from pru_demo.models import build_model
from pru_demo.models.split import SplitModel
from pru_demo.parameters import NoParams, RetrainParams
from tests.same import changed, frozen, same
from tests.spy import spied

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


class BareParameter(nn.Module):
    """Has a weight of its own and no way to reset it."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        return images * self.scale


def test_a_bare_parameter_that_nothing_resets_is_named(tiny: SplitModel) -> None:
    model = SplitModel(nn.Sequential(BareParameter(), tiny.extractor), tiny.classifier)
    before = frozen(model)
    with pytest.raises(ValueError, match=r"nothing resets extractor\.0\.scale\.$"):
        reinitialised(model, 1)
    assert not changed(before, model)


def test_a_block_that_resets_itself_has_the_last_word_over_its_layers() -> None:
    class Block(nn.Sequential):
        def reset_parameters(self) -> None:
            nn.init.constant_(self[0].weight, 3.0)  # type: ignore[arg-type]

    model = SplitModel(Block(nn.Linear(4, 4)), nn.Linear(4, 2))
    assert (reinitialised(model, 1).extractor[0].weight == 3).all()  # type: ignore[index, union-attr]


@pytest.mark.parametrize(
    ("dataset", "name"),
    [("mnist", "allcnn-small"), ("cifar10", "resnet18"), ("mnist", "vit-small")],
)
def test_a_reinitialised_network_is_drawn_from_the_distribution_of_a_built_one(
    dataset: str, name: str
) -> None:
    built = build_model(name, DATASETS[dataset], seed=1)
    model = build_model(name, DATASETS[dataset], seed=2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(5)
    fresh = dict(reinitialised(model, 3).named_parameters())
    for key, expected in built.named_parameters():
        found = fresh[key]
        assert not (found == 5).any(), key
        if expected.unique().numel() == 1:  # zeros or ones
            assert torch.equal(found, expected), key
        else:
            assert not torch.equal(found, expected), key
            if expected.numel() >= 1000:
                assert found.std().item() == pytest.approx(expected.std().item(), rel=0.1), key


def test_a_reinitialised_transformer_is_fresh_in_token_positions_and_attention() -> None:
    model = build_model("vit-small", DATASETS["mnist"], seed=1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(5)
    one, other = reinitialised(model, 1), reinitialised(model, 2)
    token, position = "extractor.class_token", "extractor.encoder.pos_embedding"
    attention = [name for name in frozen(model) if "self_attention.in_proj_weight" in name]
    assert len(attention) == 6
    assert (one.state_dict()[token] == 0).all()
    for name in (position, *attention):
        drawn = one.state_dict()[name]
        assert abs(drawn.mean()) < 0.01
        assert 0.01 < drawn.std() < 0.1
        assert not torch.equal(drawn, other.state_dict()[name])


def test_a_normalisation_survives_reinitialising() -> None:
    model = build_model("allcnn-small", DATASETS["cifar10"], seed=1)
    black = torch.zeros(1, 3, 32, 32)
    fresh = reinitialised(model, 1)
    assert torch.equal(fresh.extractor[0](black), model.extractor[0](black))  # type: ignore[index, operator]
    assert fresh.extractor[0](black).abs().min() > 1  # type: ignore[index, operator]


@pytest.mark.parametrize("size", [16, 60])
def test_retraining_uses_batches_of_the_original_size(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet, size: int
) -> None:
    spy, seen = spied(tiny)
    list(retrain(spy, nines, others, replace(PARAMS, epochs=1, batch_size=size)))
    assert {len(sight.images) for sight in seen[:-1]} == {size}
    assert sum(len(sight.images) for sight in seen) == 360


def test_retraining_sees_augmented_images(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet
) -> None:
    spy, seen = spied(tiny)
    list(retrain(spy, nines, replace(others, augment=crop_and_flip), replace(PARAMS, epochs=1)))
    known = {image.numpy().tobytes() for image in others.images / 255}
    shown = [image.contiguous().numpy().tobytes() for sight in seen for image in sight.images]
    assert sum(image in known for image in shown) < 36


def test_retraining_starts_from_pretrained_weights_where_the_original_did(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def load(name: str, network: SplitModel) -> None:
        asked.append(name)
        with torch.no_grad():
            network.extractor[0].weight.fill_(0.25)  # type: ignore[index, operator, union-attr]

    monkeypatch.setattr(module, "start_pretrained", load)
    still = replace(PARAMS, learning_rate=0.0, epochs=1)
    (random,) = retrain(tiny, nines, others, still)
    assert asked == []
    (pretrained,) = retrain(tiny, nines, others, replace(still, start="vit-b16"))
    assert asked == ["vit-b16"]
    assert changed(frozen(random.model), pretrained.model) >= {"extractor.0.weight"}
    assert (pretrained.model.extractor[0].weight == 0.25).all()  # type: ignore[index, union-attr]
