"""Which half of the network each step moves, and what else it leaves alone."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import crop_and_flip
from pru_demo.methods import pru as module
from pru_demo.methods.losses import l_o, l_p, l_s, redistribute
from pru_demo.methods.pru import pru
from pru_demo.methods.step import ForgetSet, Step
from pru_demo.models.split import SplitModel, batch_norms
from pru_demo.parameters import PRUParams
from tests.same import changed, frozen
from tests.spy import spied

PAPER = PRUParams(learning_rate_E=0.02, learning_rate_C=0.05, epochs=2, batch_size=20)
RELEASED = replace(PAPER, c_step_updates="extractor", lp_epsilon=1e-6, batch_norm_updates=2)
CLASSIFIER = {"classifier.weight", "classifier.bias"}
# Of the extractor, what gradients move; the rest are BatchNorm's buffers.
WEIGHTS_E = {"extractor.0.weight", "extractor.1.weight", "extractor.1.bias"}
BUFFERS = {
    "extractor.1.running_mean",
    "extractor.1.running_var",
    "extractor.1.num_batches_tracked",
}


def states(
    original: SplitModel, forget: ForgetSet, params: PRUParams
) -> list[tuple[Step, dict[str, Tensor]]]:
    """The steps, each with the weights it left behind; before them the original's."""
    steps = [(Step(0, "all", original, 0), frozen(original))]
    steps += ((step, frozen(step.model)) for step in pru(original, forget, params))
    return steps


def moved(
    original: SplitModel, forget: ForgetSet, params: PRUParams
) -> Iterator[tuple[str, set[str]]]:
    """For each step its phase and the names of what it changed."""
    for (_, before), (step, after) in pairwise(states(original, forget, params)):
        yield step.phase, {name for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("params", [PAPER, RELEASED])
def test_steps_alternate_e_and_c(tiny: SplitModel, nines: ForgetSet, params: PRUParams) -> None:
    steps = [(step.epoch, step.phase) for step in pru(tiny, nines, params)]
    assert steps == [(1, "E"), (1, "C"), (2, "E"), (2, "C")]


@pytest.mark.parametrize("params", [PAPER, RELEASED])
def test_e_step_moves_the_extractor_and_leaves_the_classifier_bit_identical(
    tiny: SplitModel, nines: ForgetSet, params: PRUParams
) -> None:
    for phase, names in moved(tiny, nines, params):
        if phase == "E":
            assert names == WEIGHTS_E | BUFFERS


def test_c_step_of_the_paper_moves_the_classifier_and_leaves_the_extractor_bit_identical(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    for phase, names in moved(tiny, nines, PAPER):
        if phase == "C":
            assert names == CLASSIFIER | BUFFERS


def test_c_step_as_released_moves_the_extractor(tiny: SplitModel, nines: ForgetSet) -> None:
    for _, names in moved(tiny, nines, RELEASED):
        assert names >= WEIGHTS_E


def test_classifier_never_changes_in_the_released_code(tiny: SplitModel, nines: ForgetSet) -> None:
    before = frozen(tiny)
    for step in pru(tiny, nines, RELEASED):
        assert not changed(before, step.model) & CLASSIFIER


@pytest.mark.parametrize("params", [PAPER, RELEASED])
def test_learning_rate_zero_changes_only_batch_norm_buffers(
    tiny: SplitModel, nines: ForgetSet, params: PRUParams
) -> None:
    before = frozen(tiny)
    for step in pru(tiny, nines, replace(params, learning_rate_E=0.0, learning_rate_C=0.0)):
        assert changed(before, step.model) == BUFFERS


@pytest.mark.parametrize("updates", [1, 2])
def test_batch_norm_updates_as_often_as_the_released_forward_passes(
    tiny: SplitModel, nines: ForgetSet, updates: int
) -> None:
    one_batch = replace(PAPER, batch_size=48, batch_norm_updates=updates, epochs=1)
    (layer,) = batch_norms(tiny)
    r0, momentum = frozen(layer), layer.momentum
    x = nines.images.float() / 255
    with torch.no_grad():
        b = tiny.extractor[0](x).transpose(0, 1).flatten(1)  # type: ignore[index]

    step = next(pru(tiny, nines, one_batch))
    (after,) = batch_norms(step.model)

    assert momentum is not None
    old = (1 - momentum) ** updates
    mean = old * r0["running_mean"] + (1 - old) * b.mean(1)
    variance = old * r0["running_var"] + (1 - old) * b.var(1)
    torch.testing.assert_close(after.running_mean, mean, rtol=0, atol=1e-6)
    torch.testing.assert_close(after.running_var, variance, rtol=0, atol=1e-6)
    assert after.momentum == momentum


def test_only_the_e_step_updates_batch_norm_twice(tiny: SplitModel, nines: ForgetSet) -> None:
    params = replace(RELEASED, batch_size=48, epochs=1, learning_rate_E=0.0, learning_rate_C=0.0)
    (_, first), (_, second), (_, third) = states(tiny, nines, params)
    e, c = (
        torch.linalg.vector_norm(after["extractor.1.running_mean"] - b["extractor.1.running_mean"])
        for b, after in ((first, second), (second, third))
    )
    # r₁ − r₀ = 0.19 (b − r₀) and r₂ − r₁ = 0.1 (b − r₁) = 0.1 · 0.81 (b − r₀)
    assert (c / e).item() == pytest.approx(0.081 / 0.19, rel=1e-3)


@pytest.mark.parametrize("step", ["E", "C"])
def test_another_seed_gives_another_network(tiny: SplitModel, nines: ForgetSet, step: str) -> None:
    # With the other half standing still, only the order of this step's batches can differ.
    still = {"E": {"learning_rate_C": 0.0}, "C": {"learning_rate_E": 0.0}}[step]
    params = replace(PAPER, epochs=1, **still)  # type: ignore[arg-type]
    names = WEIGHTS_E if step == "E" else CLASSIFIER
    one, other = (states(tiny, each, params)[-1][1] for each in (nines, replace(nines, seed=8)))
    assert not any(torch.equal(one[name], other[name]) for name in names)


@pytest.mark.parametrize(("params", "c_step"), [(PAPER, 1), (RELEASED, 3)])
def test_cost_is_one_pass_for_targets_three_for_e_and_one_or_three_for_c(
    tiny: SplitModel, nines: ForgetSet, params: PRUParams, c_step: int
) -> None:
    n = len(nines.images)
    costs = [step.forward_equivalents for step in pru(tiny, nines, params)]
    assert costs == [n * f for f in (4, 4 + c_step, 7 + c_step, 7 + 2 * c_step)]


def test_targets_come_from_the_original_in_eval_mode(
    tiny: SplitModel, nines: ForgetSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(module, "l_p", lambda s, t, e: seen.append(t) or (s * 0).sum())
    params = replace(PAPER, batch_size=48, lambda_o=0.0, lambda_s=0.0)
    list(pru(tiny.train(), nines, params))
    assert len(seen) == 4
    tiny.eval()
    with torch.no_grad():
        z = tiny(nines.images.float() / 255).index_fill(1, torch.tensor([9]), -torch.inf)
    for targets in seen:
        # The same rows in the order of the batch.
        distance = (targets[:, None] - z.softmax(1)[None]).abs().amax(2)
        assert distance.amin(1).max() < 1e-6
        assert (targets[:, 9] == 0).all()


def test_forgetting_lowers_the_probability_of_the_class(tiny: SplitModel, nines: ForgetSet) -> None:
    x = nines.images.float() / 255
    *_, last = pru(tiny, nines, replace(PAPER, epochs=5))
    with torch.no_grad():
        before = tiny(x).softmax(1)[:, 9].mean()
        after = last.model.eval()(x).softmax(1)[:, 9].mean()
    assert after < before / 2


def test_losses_named_in_a_step_are_those_that_were_used(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    def names(**changes: float) -> list[set[str]]:
        return [set(step.losses) for step in pru(tiny, nines, replace(PAPER, epochs=1, **changes))]  # type: ignore[arg-type]

    assert names() == [{"L_p", "L_o", "L_s"}, {"L_p"}]
    assert names(lambda_o=0.0) == [{"L_p", "L_s"}, {"L_p"}]
    assert names(lambda_s=0.0) == [{"L_p", "L_o"}, {"L_p"}]


def test_several_classes_are_forgotten_together(tiny: SplitModel, few: object) -> None:
    images, labels = few(20, (4, 9))  # type: ignore[operator]
    *_, last = pru(
        tiny, ForgetSet(images, labels, classes=frozenset({4, 9}), seed=7), replace(PAPER, epochs=5)
    )
    with torch.no_grad():
        x = images.float() / 255
        before = tiny(x).softmax(1)[:, [4, 9]].sum(1).mean()
        assert last.model.eval()(x).softmax(1)[:, [4, 9]].sum(1).mean() < before


def terms(model: SplitModel, images: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """All that an E step could minimise, on one batch in train mode."""
    features = model.features(images)
    logits, clusters = model.classify(features), targets.argmax(1)
    macro, micro = l_s(features, clusters), l_s(features, clusters, "micro")
    separation = l_o(features, clusters)
    assert macro is not None
    assert micro is not None
    assert separation is not None
    return {
        "L_p": l_p(logits, targets),
        "CE": F.cross_entropy(logits, clusters),
        "L_o": separation,
        "L_s": macro,
        "micro": micro,
    }


@pytest.mark.parametrize(
    ("changes", "weights"),
    [
        ({}, {"L_p": 1, "L_o": 1, "L_s": 1}),
        ({"lambda_p": 0.0}, {"L_o": 1, "L_s": 1}),
        ({"lambda_p": 0.5, "lambda_o": 2.0, "lambda_s": 3.0}, {"L_p": 0.5, "L_o": 2, "L_s": 3}),
        ({"averaging": "micro"}, {"L_p": 1, "L_o": 1, "micro": 1}),
        ({"l_p_form": "cross-entropy"}, {"CE": 1, "L_o": 1, "L_s": 1}),
    ],
    ids=["paper", "without L_p", "weights", "micro", "cross-entropy"],
)
def test_e_step_descends_the_weighted_sum_of_its_losses(
    tiny: SplitModel, nines: ForgetSet, changes: dict[str, Any], weights: dict[str, float]
) -> None:
    params = replace(PAPER, batch_size=48, **changes)
    x = nines.images / 255
    by_hand = deepcopy(tiny).train()
    losses = terms(by_hand, x, redistribute(tiny(x).detach(), {9}))
    sum(weight * losses[name] for name, weight in weights.items()).backward()  # type: ignore[union-attr]

    step = next(pru(tiny, nines, params))
    for before, after in zip(
        by_hand.extractor_parameters(), step.model.extractor_parameters(), strict=True
    ):
        assert before.grad is not None
        expected = before - 0.02 * (before.grad + 1e-4 * before)
        torch.testing.assert_close(after, expected, rtol=0, atol=1e-5)
    named = {"CE": "L_p", "micro": "L_s"}
    assert step.losses == pytest.approx(
        {named.get(name, name): losses[name].item() for name in weights}, rel=1e-4
    )


@pytest.mark.parametrize("form", ["KL", "cross-entropy"])
def test_c_step_trains_the_classifier_towards_the_new_labels(
    tiny: SplitModel, nines: ForgetSet, form: str
) -> None:
    params = replace(PAPER, batch_size=48, epochs=1, learning_rate_E=0.0, l_p_form=form)  # type: ignore[arg-type]
    x = nines.images / 255
    by_hand = deepcopy(tiny).train()
    loss = terms(by_hand, x, redistribute(tiny(x).detach(), {9}))["L_p" if form == "KL" else "CE"]
    loss.backward()  # type: ignore[no-untyped-call]

    _, step = pru(tiny, nines, params)
    for before, after in zip(
        by_hand.classifier_parameters(), step.model.classifier_parameters(), strict=True
    ):
        assert before.grad is not None
        expected = before - 0.05 * (before.grad + 1e-4 * before)
        torch.testing.assert_close(after, expected, rtol=0, atol=1e-5)
    assert step.losses["L_p"] == pytest.approx(loss.item(), rel=1e-4)


def test_without_any_loss_the_e_step_moves_only_batch_norm(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    step = next(pru(tiny, nines, replace(PAPER, lambda_p=0.0, lambda_o=0.0, lambda_s=0.0)))
    assert changed(frozen(tiny), step.model) == BUFFERS
    assert step.losses == {}


def test_the_c_step_keeps_l_p_when_the_e_step_has_none(tiny: SplitModel, nines: ForgetSet) -> None:
    names = [set(step.losses) for step in pru(tiny, nines, replace(PAPER, epochs=1, lambda_p=0.0))]
    assert names == [{"L_o", "L_s"}, {"L_p"}]


@pytest.mark.parametrize("meddling", ["train", "eval"])
@pytest.mark.parametrize("params", [PAPER, RELEASED])
def test_frozen_batch_norm_stays_bit_identical_however_the_caller_measures(
    tiny: SplitModel, nines: ForgetSet, params: PRUParams, meddling: str
) -> None:
    before = frozen(tiny)
    for step in pru(tiny, nines, replace(params, batch_norm="frozen")):
        assert not changed(before, step.model) & BUFFERS
        getattr(step.model, meddling)()
    assert changed(before, step.model) >= WEIGHTS_E


def test_frozen_batch_norm_normalises_with_the_running_statistics(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    params = replace(PAPER, batch_size=48, batch_norm="frozen", learning_rate_E=0.0)
    step = next(pru(tiny, nines, params))
    x = nines.images / 255
    expected = l_p(tiny(x), redistribute(tiny(x).detach(), {9})).item()
    assert step.losses["L_p"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("params", [PAPER, RELEASED])
def test_targets_of_augmented_images_are_those_of_the_very_inputs(
    tiny: SplitModel, nines: ForgetSet, params: PRUParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets: list[Tensor] = []
    usual = module.l_p
    monkeypatch.setattr(
        module, "l_p", lambda s, t, e: targets.append(t.detach().clone()) or usual(s, t, e)
    )
    spy, seen = spied(tiny)
    list(pru(spy, replace(nines, augment=crop_and_flip), params))
    teacher = [sight.images for sight in seen if not sight.training]
    student = [sight.images for sight in seen if sight.training]
    assert len(teacher) == len(student) == len(targets) == 4 * 3
    for asked, learned, target in zip(teacher, student, targets, strict=True):
        assert torch.equal(asked, learned)
        with torch.no_grad():
            expected = redistribute(tiny(asked), {9})
        torch.testing.assert_close(target, expected, rtol=0, atol=1e-6)
    plain = {image.numpy().tobytes() for image in nines.images / 255}
    shown = [image.contiguous().numpy().tobytes() for batch in student for image in batch]
    # A ninth of a ninth of the crops is in the middle, and half of those is not mirrored.
    assert sum(image in plain for image in shown) < len(shown) / 10
    assert len(set(shown)) > 0.9 * len(shown)


@pytest.mark.parametrize(("params", "c_step"), [(PAPER, 2), (RELEASED, 4)])
def test_cost_with_augmented_images_counts_the_passes_of_the_original(
    tiny: SplitModel, nines: ForgetSet, params: PRUParams, c_step: int
) -> None:
    steps = pru(tiny, replace(nines, augment=crop_and_flip), params)
    costs = [step.forward_equivalents for step in steps]
    assert costs == [48 * f for f in (4, 4 + c_step, 8 + c_step, 8 + 2 * c_step)]


def test_targets_of_fixed_images_are_asked_for_once(tiny: SplitModel, nines: ForgetSet) -> None:
    spy, seen = spied(tiny)
    list(pru(spy, nines, PAPER))
    first, *rest = seen
    assert not first.training
    assert len(first.images) == 48
    assert all(sight.training for sight in rest)
