"""SCRUB moves away from the original on D_f and towards it on D_r."""

import math
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo import training
from pru_demo.methods.scrub import distance, scrub
from pru_demo.methods.step import ForgetSet, RetainSet
from pru_demo.models.split import SplitModel
from pru_demo.parameters import SCRUBParams
from pru_demo.training import descend
from tests.same import changed, frozen
from tests.spy import spied

PARAMS = SCRUBParams(learning_rate=5e-3, forget_epochs=2, epochs=4, batch_size=20)
# The second half of an epoch leaves the weights where they are.
NO_RETAIN = replace(PARAMS, alpha=0.0, gamma=0.0, weight_decay=0.0, momentum=0.0)


def test_distance_of_a_worked_example() -> None:
    # At T = 2 the odds of the teacher are 1 : 3 and those of the student 1 : 1.
    teacher = torch.tensor([[0.0, 2 * math.log(3)]])
    student = torch.tensor([[1.0, 1.0]])
    expected = 4 * (0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5))
    assert distance(student, teacher, 2.0).item() == pytest.approx(expected, rel=1e-6)
    other_way = 4 * (0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75))
    assert distance(teacher, student, 2.0).item() == pytest.approx(other_way, rel=1e-6)


def test_distance_is_the_mean_over_the_batch_and_zero_for_equal_logits() -> None:
    z = torch.tensor([[1.0, 2.0, 0.0], [0.0, 5.0, 1.0]])
    s = torch.tensor([[1.0, 2.0, 0.0], [3.0, 0.0, 1.0]])
    alone = distance(s[1:], z[1:], 4.0)
    assert distance(s, z, 4.0).item() == pytest.approx(alone.item() / 2, rel=1e-6)
    assert distance(z, z, 4.0).item() == 0


def test_distance_stays_finite_where_probabilities_vanish() -> None:
    z = torch.tensor([[0.0, 500.0]], requires_grad=True)
    loss = distance(z, torch.tensor([[500.0, 0.0]]), 1.0)
    loss.backward()
    assert loss.item() == pytest.approx(500)
    assert z.grad is not None
    assert z.grad.isfinite().all()


def test_the_forget_half_raises_the_distance_to_the_original(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet
) -> None:
    params = replace(NO_RETAIN, forget_epochs=4, batch_size=48)
    distances = [step.losses["KL on D_f"] for step in scrub(tiny, nines, others, params)]
    assert all(before < after for before, after in pairwise(distances))


def test_the_forget_half_is_one_step_up_the_distance(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet
) -> None:
    x = nines.images / 255
    by_hand = deepcopy(tiny).train()
    apart = distance(by_hand(x), tiny(x).detach(), 4.0)
    apart.backward()  # type: ignore[no-untyped-call]
    step = next(scrub(tiny, nines, others, replace(NO_RETAIN, batch_size=48)))
    for before, after in zip(by_hand.parameters(), step.model.parameters(), strict=True):
        assert before.grad is not None
        torch.testing.assert_close(after, before + 5e-3 * before.grad, rtol=0, atol=1e-5)
    assert step.losses["KL on D_f"] == pytest.approx(apart.item(), rel=1e-4)


def test_the_retain_half_lowers_its_loss(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet
) -> None:
    params = replace(PARAMS, forget_epochs=0, epochs=3)
    losses = [step.losses["loss on D_r"] for step in scrub(tiny, nines, others, params)]
    assert all(before > after for before, after in pairwise(losses))


@pytest.mark.parametrize(("alpha", "gamma"), [(0.5, 1.0), (2.0, 0.0), (0.0, 3.0)])
def test_the_retain_half_weighs_distance_and_cross_entropy(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet, alpha: float, gamma: float
) -> None:
    params = replace(PARAMS, alpha=alpha, gamma=gamma, forget_epochs=0, batch_size=30, momentum=0.0)
    x = others.images / 255
    by_hand = deepcopy(tiny).train()
    logits = by_hand(x)
    loss = alpha * distance(logits, tiny(x).detach(), 4.0)
    loss = loss + gamma * F.cross_entropy(logits, others.labels.long())
    loss.backward()
    step = next(scrub(tiny, nines, others, params))
    assert step.losses == {"loss on D_r": pytest.approx(loss.item(), rel=1e-4)}
    for before, after in zip(by_hand.parameters(), step.model.parameters(), strict=True):
        assert before.grad is not None
        expected = before - 5e-3 * (before.grad + 5e-4 * before)
        torch.testing.assert_close(after, expected, rtol=0, atol=1e-5)


def test_the_learning_rate_falls_to_a_tenth_after_epochs_3_5_and_9(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []

    def remember(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        rates.append(optimizer.param_groups[0]["lr"])
        descend(optimizer, loss)

    monkeypatch.setattr(training, "descend", remember)
    by_epoch = []
    for _ in scrub(tiny, nines, others, replace(PARAMS, epochs=10)):
        (rate,) = set(rates)
        by_epoch.append(rate)
        rates.clear()
    expected = [5e-3] * 3 + [5e-4] * 2 + [5e-5] * 4 + [5e-6]
    assert by_epoch == pytest.approx(expected)


@pytest.mark.parametrize("forget_epochs", [0, 2, 9])
def test_only_the_first_epochs_touch_the_forgotten_images(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet, forget_epochs: int
) -> None:
    spy, seen = spied(tiny)
    known = {image.numpy().tobytes() for image in nines.images / 255}
    touched, costs = [], []
    for step in scrub(spy, nines, others, replace(PARAMS, forget_epochs=forget_epochs)):
        shown = {image.contiguous().numpy().tobytes() for sight in seen for image in sight.images}
        assert not shown & known or shown >= known
        touched.append(bool(shown & known))
        assert ("KL on D_f" in step.losses) == touched[-1]
        costs.append(step.forward_equivalents)
        seen.clear()
    assert touched == [epoch < forget_epochs for epoch in range(4)]
    # Teacher once, student forth and back, on 48 and on 30 images.
    per_epoch = [4 * (48 * each + 30) for each in touched]
    assert costs == [sum(per_epoch[: epoch + 1]) for epoch in range(4)]


def test_the_teacher_is_the_original_in_eval_mode_on_the_same_inputs(
    tiny: SplitModel, nines: ForgetSet, others: RetainSet
) -> None:
    spy, seen = spied(tiny.train())
    for step in scrub(spy, nines, others, PARAMS):
        step.model.eval()
    for student, teacher in zip(seen[::2], seen[1::2], strict=True):
        assert student.training
        assert not teacher.training
        assert torch.equal(student.images, teacher.images)


def test_all_weights_move(tiny: SplitModel, nines: ForgetSet, others: RetainSet) -> None:
    *_, last = scrub(tiny, nines, others, PARAMS)
    before = frozen(tiny)
    assert changed(before, last.model) == set(before)
