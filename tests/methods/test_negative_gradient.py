"""The loss of the forgotten images rises, up to a cap."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.methods.negative_gradient import negative_gradient
from pru_demo.methods.step import ForgetSet
from pru_demo.models.split import SplitModel
from pru_demo.parameters import NegativeGradientParams
from tests.same import changed, frozen

PARAMS = NegativeGradientParams(learning_rate=0.01, epochs=3, batch_size=20)
ONE_BATCH = replace(PARAMS, epochs=1, batch_size=48)
BUFFERS = {
    "extractor.1.running_mean",
    "extractor.1.running_var",
    "extractor.1.num_batches_tracked",
}


def losses(model: SplitModel, forget: ForgetSet) -> Tensor:
    """Cross-entropy of each image, on the whole batch in the mode that ``model`` is in."""
    return F.cross_entropy(model(forget.images / 255), forget.labels.long(), reduction="none")


def test_it_raises_the_loss_of_the_forgotten_images(tiny: SplitModel, nines: ForgetSet) -> None:
    before = losses(deepcopy(tiny).train(), nines).mean()
    *_, last = negative_gradient(tiny, nines, PARAMS)
    assert losses(last.model.train(), nines).mean() > before + 0.1


def test_one_batch_is_one_step_up_the_gradient(tiny: SplitModel, nines: ForgetSet) -> None:
    by_hand = deepcopy(tiny).train()
    loss = losses(by_hand, nines).mean()
    loss.backward()
    (step,) = negative_gradient(tiny, nines, replace(ONE_BATCH, loss_cap=100.0))
    for before, after in zip(by_hand.parameters(), step.model.parameters(), strict=True):
        assert before.grad is not None
        torch.testing.assert_close(after, before + 0.01 * before.grad, rtol=0, atol=1e-6)
    assert step.losses == {"negative cross-entropy": pytest.approx(-loss.item(), rel=1e-4)}


def test_samples_beyond_the_cap_add_no_gradient(tiny: SplitModel, nines: ForgetSet) -> None:
    by_hand = deepcopy(tiny).train()
    each = losses(by_hand, nines)
    cap = each.median().item() + 1e-3
    below = each < cap
    assert 0 < below.sum() < 48
    # The others count in the size of the batch only.
    (each[below].sum() / 48).backward()
    (step,) = negative_gradient(tiny, nines, replace(ONE_BATCH, loss_cap=max(cap, 0.1)))
    for before, after in zip(by_hand.parameters(), step.model.parameters(), strict=True):
        assert before.grad is not None
        torch.testing.assert_close(after, before + 0.01 * before.grad, rtol=0, atol=1e-6)


def test_once_all_samples_are_beyond_the_cap_no_weight_moves(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    with torch.no_grad():
        tiny.classifier.bias[9] -= 1000
    for step in negative_gradient(tiny, nines, replace(PARAMS, learning_rate=1.0)):
        assert changed(frozen(tiny), step.model) == BUFFERS
        assert step.losses == {"negative cross-entropy": -10.0}


def test_the_cap_keeps_the_network_from_being_destroyed(tiny: SplitModel, nines: ForgetSet) -> None:
    long = replace(PARAMS, epochs=50, learning_rate=0.02)
    *_, last = negative_gradient(tiny, nines, long)
    assert all(p.isfinite().all() for p in last.model.parameters())
    reached = losses(last.model.train(), nines).mean().item()
    assert 5 < reached < 40


def test_cost_is_three_passes_per_epoch(tiny: SplitModel, nines: ForgetSet) -> None:
    costs = [step.forward_equivalents for step in negative_gradient(tiny, nines, PARAMS)]
    assert costs == [48 * 3, 48 * 6, 48 * 9]
