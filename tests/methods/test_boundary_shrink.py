"""The attack and the labels come from the original; training is on the clean images."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from pru_demo.methods import boundary_shrink as module
from pru_demo.methods.boundary_shrink import boundary_shrink, nearest_labels
from pru_demo.methods.step import ForgetSet
from pru_demo.models.split import SplitModel, normalised
from pru_demo.parameters import BoundaryShrinkParams
from tests.same import changed, frozen, same
from tests.spy import spied

PARAMS = BoundaryShrinkParams(learning_rate=0.01, epsilon=0.1, epochs=3, batch_size=20)
PGD = replace(PARAMS, attack="pgd")


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
    labels = nearest_labels(tiny, nines, replace(PARAMS, epsilon=0.0))
    assert torch.equal(labels, logits(tiny, nines.images).argmax(1))


def test_an_attack_changes_most_labels(tiny: SplitModel, nines: ForgetSet) -> None:
    labels = nearest_labels(tiny, nines, replace(PARAMS, epsilon=0.25))
    assert labels.shape == (48,)
    assert (labels != 9).float().mean() > 0.5


def test_labels_of_failed_attacks_stay_the_forgotten_class(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    with torch.no_grad():
        tiny.classifier.bias[9] += 1000  # type: ignore[operator, index]
    assert (nearest_labels(tiny, nines, replace(PARAMS, epsilon=0.1)) == 9).all()


def test_attacked_images_are_images_at_most_epsilon_away(spy: Spy, nines: ForgetSet) -> None:
    nearest_labels(spy, nines, replace(PARAMS, epsilon=0.1))
    (_, clean), (_, attacked) = spy.seen
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    assert torch.equal((attacked * 255).round() / 255, attacked)
    distance = (attacked - clean).abs()
    assert distance.max() <= 0.1 + 0.5 / 255 + 1e-6  # the rounding to 256 levels
    assert distance.max() > 0.09


def test_attack_ascends_the_loss_of_the_true_class(spy: Spy, nines: ForgetSet) -> None:
    nearest_labels(spy, nines, replace(PARAMS, epsilon=0.1))
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

    def spied(original: SplitModel, forget: ForgetSet, params: BoundaryShrinkParams) -> Tensor:
        calls.append((original is tiny, params.epsilon))
        return nearest_labels(original, forget, params)

    monkeypatch.setattr(module, "nearest_labels", spied)
    list(boundary_shrink(tiny, nines, PARAMS))
    assert calls == [(True, 0.1)]


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


def test_pgd_starts_at_random_and_stays_within_epsilon_and_the_pixel_range(
    spy: Spy, nines: ForgetSet
) -> None:
    nearest_labels(spy, nines, PGD)
    clean = nines.images / 255
    assert len(spy.seen) == 5 + 1
    for _, attacked in spy.seen:
        assert attacked.min() >= 0
        assert attacked.max() <= 1
        distance = (attacked - clean).abs()
        assert distance.max() <= 0.1 + 0.5 / 255 + 1e-6  # the last is rounded to 256 levels
        assert distance.max() > 0.09
    (_, start), *_ = spy.seen
    ink = (clean > 0.2) & (clean < 0.8)  # where neither end of the pixel range cuts the start off
    moved = (start - clean)[ink] / 0.1
    assert moved.mean().abs() < 0.1
    assert moved.std().item() == pytest.approx(1 / 3**0.5, abs=0.05)  # uniform
    _, relabelled = spy.seen[-1]
    assert torch.equal((relabelled * 255).round() / 255, relabelled)


def test_every_step_of_pgd_but_the_projection_moves_a_pixel_by_its_step_size(
    spy: Spy, nines: ForgetSet
) -> None:
    nearest_labels(spy, nines, replace(PGD, epsilon=0.3))
    (_, first), (_, second), *_ = spy.seen
    steps = (second - first).abs()
    assert steps.max() <= 8 / 255 + 1e-6
    assert ((steps - 8 / 255).abs() < 1e-6).float().mean() > 0.2


def test_pgd_raises_the_loss_of_the_true_class_from_step_to_step(
    spy: Spy, nines: ForgetSet
) -> None:
    nearest_labels(spy, nines, PGD)
    images = [attacked for _, attacked in spy.seen]
    with torch.no_grad():
        losses = [
            torch.nn.functional.cross_entropy(spy(x), nines.labels.long()).item() for x in images
        ]
    assert losses[5] > losses[1] > losses[0]


def test_the_random_start_is_decided_by_the_seed(spy: Spy, nines: ForgetSet) -> None:
    for seed in (7, 7, 8):
        nearest_labels(spy, replace(nines, seed=seed), PGD)
    starts = [spy.seen[i][1] for i in (0, 6, 12)]
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])


def test_pgd_costs_three_passes_per_step_and_one_for_the_labels(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    costs = [step.forward_equivalents for step in boundary_shrink(tiny, nines, PGD)]
    assert costs == [48 * 19, 48 * 22, 48 * 25]


@pytest.mark.parametrize("params", [PARAMS, PGD], ids=["fgsm", "pgd"])
def test_exclude_forget_never_gives_a_forgotten_label(
    tiny: SplitModel, threes_and_nines: ForgetSet, params: BoundaryShrinkParams
) -> None:
    with torch.no_grad():
        tiny.classifier.bias[9] += 1000
        tiny.classifier.bias[3] += 900
    assert (nearest_labels(tiny, threes_and_nines, params) == 9).all()
    labels = nearest_labels(tiny, threes_and_nines, replace(params, exclude_forget=True))
    assert not {3, 9} & set(labels.tolist())


def test_exclude_forget_leaves_the_labels_of_attacks_that_succeed(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    strong = replace(PARAMS, epsilon=0.25)
    usual = nearest_labels(tiny, nines, strong)
    masked = nearest_labels(tiny, nines, replace(strong, exclude_forget=True))
    assert torch.equal(usual[usual != 9], masked[usual != 9])


def test_images_are_used_without_augmentation(tiny: SplitModel, nines: ForgetSet) -> None:
    def never(images: Tensor, generator: torch.Generator) -> Tensor:
        raise AssertionError

    *_, augmented = boundary_shrink(tiny, replace(nines, augment=never), PARAMS)
    *_, plain = boundary_shrink(tiny, nines, PARAMS)
    assert same(frozen(augmented.model), frozen(plain.model))


def test_epsilon_is_in_pixels_also_when_the_network_normalises(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    spy, seen = spied(normalised(tiny, [0.13], [0.31]))
    nearest_labels(spy, nines, PARAMS)
    (_, clean), (_, attacked) = seen
    assert torch.equal(clean, nines.images / 255)
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    assert 0.09 < (attacked - clean).abs().max() <= 0.1 + 0.5 / 255 + 1e-6
