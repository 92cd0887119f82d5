"""``w_un = w_or + (σ − η)·G_f − η·G_r``."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pru_demo.data.samples import Samples
from pru_demo.methods.step import ForgetSet, RetainSet
from pru_demo.methods.unrolling import unroll, unroll_of
from pru_demo.models.split import SplitModel
from pru_demo.parameters import UnrollParams
from tests.same import changed, frozen
from tests.spy import spied

PARAMS = UnrollParams(learning_rate=0.02, sigma=0.05, batch_size=20)
ONE_BATCH = replace(PARAMS, batch_size=60)
BUFFERS = {
    "extractor.1.running_mean",
    "extractor.1.running_var",
    "extractor.1.num_batches_tracked",
}


def gradients(model: SplitModel, data: Samples) -> list[Tensor]:
    """∇CE on all of ``data`` as one batch in train mode."""
    working = deepcopy(model).train()
    F.cross_entropy(working(data.images / 255), data.labels.long()).backward()  # type: ignore[no-untyped-call]
    found = [p.grad for p in working.parameters()]
    assert all(gradient is not None for gradient in found)
    return found  # type: ignore[return-value]


def moved(model: SplitModel, steps: list[Tensor], size: float) -> SplitModel:
    """A copy of ``model`` with ``size`` times ``steps`` added to its weights."""
    copy = deepcopy(model)
    with torch.no_grad():
        for parameter, step in zip(copy.parameters(), steps, strict=True):
            parameter += size * step
    return copy


def assert_same_weights(one: SplitModel, other: SplitModel) -> None:
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-6)


def last_of_unroll_of(model: SplitModel, forget: ForgetSet, params: UnrollParams) -> SplitModel:
    *_, last = unroll_of(model, forget, params)
    return last.model


@pytest.mark.parametrize("epochs", [1, 3])
def test_equal_step_sizes_leave_the_weights_as_they_were_but_not_batch_norm(
    tiny: SplitModel, nines: ForgetSet, epochs: int
) -> None:
    params = replace(PARAMS, sigma=0.02, epochs=epochs)
    before = frozen(tiny)
    unlearned = last_of_unroll_of(tiny, nines, params)
    assert_same_weights(unlearned, tiny)
    assert changed(before, unlearned) >= BUFFERS


@pytest.mark.parametrize("sigma", [0.0, 0.01, 0.02, 0.3])
def test_one_batch_is_one_step_of_sigma_minus_eta_up_the_gradient(
    tiny: SplitModel, nines: ForgetSet, sigma: float
) -> None:
    unlearned = last_of_unroll_of(tiny, nines, replace(ONE_BATCH, sigma=sigma))
    assert_same_weights(unlearned, moved(tiny, gradients(tiny, nines), sigma - 0.02))


def test_the_step_back_goes_along_the_sum_of_all_gradients(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    learned = last_of_unroll_of(tiny, nines, replace(PARAMS, sigma=0.0))
    unlearned = last_of_unroll_of(tiny, nines, replace(PARAMS, sigma=0.05))
    # What plain SGD moved is −η·G, so G is known without looking at a gradient.
    total = [
        (before - after) / 0.02
        for before, after in zip(tiny.parameters(), learned.parameters(), strict=True)
    ]
    assert_same_weights(unlearned, moved(tiny, total, 0.05 - 0.02))
    # Three batches, each at the weights that the one before left behind.
    assert not all(
        torch.allclose(a, 3 * b, rtol=1e-2, atol=0)
        for a, b in zip(total, gradients(tiny, nines), strict=True)
    )


def test_unroll_differs_by_what_it_learns_from_the_others_in_between(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet
) -> None:
    (step,) = unroll(tiny, nines, others, ONE_BATCH)
    g_f = gradients(tiny, nines)
    g_r = gradients(moved(tiny, g_f, -0.02), others)
    expected = moved(moved(tiny, g_f, 0.05 - 0.02), g_r, -0.02)
    assert_same_weights(step.model, expected)
    assert changed(frozen(step.model), last_of_unroll_of(tiny, nines, ONE_BATCH)) >= {
        "classifier.weight",
        "extractor.0.weight",
    }


def test_the_others_come_after_the_forgotten_in_batches_of_half_the_size(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet
) -> None:
    spy, seen = spied(tiny)
    list(unroll(spy, nines, others, replace(PARAMS, epochs=2)))
    assert [len(sight.images) for sight in seen] == [20, 20, 8, 10, 10, 10] * 2
    assert all(sight.training for sight in seen)
    known = {image.numpy().tobytes() for image in nines.images / 255}
    for sight in (*seen[:3], *seen[6:9]):
        assert {image.contiguous().numpy().tobytes() for image in sight.images} <= known


def test_unroll_of_never_sees_the_others(tiny: SplitModel, nines: ForgetSet) -> None:
    spy, seen = spied(tiny)
    list(unroll_of(spy, nines, PARAMS))
    known = {image.numpy().tobytes() for image in nines.images / 255}
    shown = {image.contiguous().numpy().tobytes() for sight in seen for image in sight.images}
    assert shown == known


def test_steps_are_copies_and_learning_goes_on_from_the_learned_weights(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    params = replace(PARAMS, epochs=2)
    first, second = unroll_of(tiny, nines, params)
    assert first.model is not second.model
    spoiled = []
    for step in unroll_of(tiny, nines, params):
        spoiled.append(frozen(step.model.eval()))
        with torch.no_grad():
            step.model.classifier.weight.zero_()
    assert not changed(spoiled[1], second.model)


def test_losses_and_cost(tiny: SplitModel, nines: ForgetSet, others: RetainSet) -> None:
    expected = F.cross_entropy(deepcopy(tiny).train()(nines.images / 255), nines.labels.long())
    (step,) = unroll_of(tiny, nines, ONE_BATCH)
    assert step.losses == {"cross-entropy": pytest.approx(expected.item(), rel=1e-4)}
    params = replace(PARAMS, epochs=2)
    assert [s.forward_equivalents for s in unroll_of(tiny, nines, params)] == [48 * 3, 48 * 6]
    costs = [s.forward_equivalents for s in unroll(tiny, nines, others, params)]
    assert costs == [78 * 3, 78 * 6]


def test_weights_that_the_network_does_not_use_stay(tiny: SplitModel, nines: ForgetSet) -> None:
    tiny.add_module("unused", nn.Linear(3, 2))
    before = frozen(tiny)
    unlearned = last_of_unroll_of(tiny, nines, PARAMS)
    assert not {name for name in changed(before, unlearned) if "unused" in name}
