"""The attack and the labels come from the original; training is on the clean images."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from pru_demo.models.split import SplitModel
from pru_demo.unlearning import boundary_shrink as module
from pru_demo.unlearning.boundary_shrink import boundary_shrink, nearest_labels
from pru_demo.unlearning.parameters import BoundaryShrinkParams
from pru_demo.unlearning.step import ForgetSet
from tests.same import changed, frozen, same

PARAMS = BoundaryShrinkParams(learning_rate=0.01, epsilon=0.1, epochs=3, batch_size=20)


class Spy(SplitModel):
    """Remembers in one list for all copies what it was shown, and in which mode it was."""

    seen: ClassVar[list[tuple[bool, Tensor]]] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append((self.training, images.detach().clone()))
        return super().forward(images)


@pytest.fixture
def spy(tiny: SplitModel) -> Iterator[Spy]:
    assert isinstance(tiny.classifier, torch.nn.Linear)
    yield Spy(tiny.extractor, tiny.classifier).eval()
    Spy.seen.clear()


def logits(model: SplitModel, images: Tensor) -> Tensor:
    with torch.no_grad():
        return model(images.float() / 255)


def test_epsilon_zero_leaves_the_labels_that_the_original_gives(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    labels = nearest_labels(tiny, nines, 0.0)
    assert torch.equal(labels, logits(tiny, nines.images).argmax(1))


def test_an_attack_changes_most_labels(tiny: SplitModel, nines: ForgetSet) -> None:
    labels = nearest_labels(tiny, nines, 0.25)
    assert labels.shape == (48,)
    assert (labels != 9).float().mean() > 0.5


def test_labels_of_failed_attacks_stay_the_forgotten_class(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    with torch.no_grad():
        tiny.classifier.bias[9] += 1000  # type: ignore[operator, index]
    assert (nearest_labels(tiny, nines, 0.1) == 9).all()


def test_attacked_images_are_images_at_most_epsilon_away(spy: Spy, nines: ForgetSet) -> None:
    nearest_labels(spy, nines, 0.1)
    (_, clean), (_, attacked) = spy.seen
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    assert torch.equal((attacked * 255).round() / 255, attacked)
    distance = (attacked - clean).abs()
    assert distance.max() <= 0.1 + 0.5 / 255 + 1e-6  # the rounding to 256 levels
    assert distance.max() > 0.09


def test_attack_ascends_the_loss_of_the_true_class(spy: Spy, nines: ForgetSet) -> None:
    nearest_labels(spy, nines, 0.1)
    (_, clean), (_, attacked) = spy.seen
    with torch.no_grad():
        before, after = (
            torch.nn.functional.cross_entropy(spy(x), nines.labels.long())
            for x in (clean, attacked)
        )
    assert after > before


def test_labels_are_computed_on_the_original_in_eval_mode_and_training_sees_clean_images(
    spy: Spy, nines: ForgetSet
) -> None:
    list(boundary_shrink(spy.train(), nines, PARAMS))
    (attack, _), (relabel, _), *training = spy.seen
    assert not attack
    assert not relabel
    assert len(training) == 3 * 3
    assert all(mode for mode, _ in training)
    clean = {image.numpy().tobytes() for image in nines.images}
    for epoch in range(3):
        batches = [batch for _, batch in training[3 * epoch : 3 * epoch + 3]]
        shown = torch.cat(batches).mul(255).round().to(torch.uint8)
        assert {image.contiguous().numpy().tobytes() for image in shown} == clean


def test_labels_are_computed_once(
    tiny: SplitModel, nines: ForgetSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def spied(original: SplitModel, forget: ForgetSet, epsilon: float) -> Tensor:
        calls.append((original is tiny, epsilon))
        return nearest_labels(original, forget, epsilon)

    monkeypatch.setattr(module, "nearest_labels", spied)
    list(boundary_shrink(tiny, nines, PARAMS))
    assert calls == [(True, 0.1)]


def test_original_and_images_are_untouched(tiny: SplitModel, nines: ForgetSet) -> None:
    before, images = frozen(tiny), nines.images.clone()
    list(boundary_shrink(tiny, nines, PARAMS))
    assert not changed(before, tiny)
    assert not tiny.training
    assert all(p.grad is None and p.requires_grad for p in tiny.parameters())
    assert torch.equal(images, nines.images)


def test_it_yields_once_per_epoch_and_each_epoch_moves_all_weights(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    states = [frozen(tiny)]
    epochs = []
    for step in boundary_shrink(tiny, nines, PARAMS):
        epochs.append((step.epoch, step.phase))
        states.append(frozen(step.model))
    assert epochs == [(1, "all"), (2, "all"), (3, "all")]
    for before, after in pairwise(states):
        assert not any(torch.equal(before[name], after[name]) for name in before)


def test_cost_is_four_passes_for_the_labels_and_three_per_epoch(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    costs = [step.forward_equivalents for step in boundary_shrink(tiny, nines, PARAMS)]
    assert costs == [48 * 7, 48 * 10, 48 * 13]


def test_learning_rate_zero_changes_only_batch_norm_buffers(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    before = frozen(tiny)
    *_, last = boundary_shrink(tiny, nines, replace(PARAMS, learning_rate=0.0))
    assert all("running" in name or "tracked" in name for name in changed(before, last.model))


def test_seed_decides_the_result(tiny: SplitModel, nines: ForgetSet) -> None:
    def weights(seed: int) -> dict[str, Tensor]:
        *_, last = boundary_shrink(tiny, replace(nines, seed=seed), PARAMS)
        return frozen(last.model)

    assert same(weights(7), weights(7))
    assert not same(weights(7), weights(8))
