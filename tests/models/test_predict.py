"""Measuring in eval mode, without leaving a trace."""

from typing import Any

import pytest
import torch
from torch import Tensor

from pru_demo.heartbeat import listening
from pru_demo.models import predict as module
from pru_demo.models.predict import accuracy, predict
from pru_demo.models.split import SplitModel
from tests.same import changed, frozen


@pytest.fixture
def digits(few: Any) -> tuple[Tensor, Tensor]:
    images, labels = few(7, tuple(range(10)))
    return images, labels


@pytest.mark.parametrize("training", [True, False])
def test_predicting_uses_eval_mode_and_puts_the_mode_back(
    tiny: SplitModel, digits: tuple[Tensor, Tensor], training: bool
) -> None:
    expected = tiny(digits[0].float() / 255)
    tiny.train(training)
    before = frozen(tiny)
    torch.testing.assert_close(predict(tiny, digits[0]), expected.detach())
    assert tiny.training == training
    assert not changed(before, tiny)


def test_parts_are_joined_in_order_with_a_beat_after_each(
    tiny: SplitModel, digits: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = predict(tiny, digits[0])
    monkeypatch.setattr(module, "measuring_batch", lambda _: 32)
    beats: list[int] = []
    with listening(lambda: beats.append(1)):
        parts = predict(tiny, digits[0])
    assert len(beats) == 3
    torch.testing.assert_close(parts, whole)


def test_accuracy_is_a_percentage(tiny: SplitModel, digits: tuple[Tensor, Tensor]) -> None:
    images, _ = digits
    answers = predict(tiny, images).argmax(1)
    assert accuracy(tiny, images, answers) == 100
    assert accuracy(tiny, images, (answers + 1) % 10) == 0
    half = answers.clone()
    half[:35] = (half[:35] + 1) % 10
    assert accuracy(tiny, images, half) == pytest.approx(50)


def test_targets_may_be_trained_on(tiny: SplitModel, digits: tuple[Tensor, Tensor]) -> None:
    # Tensors made in inference mode cannot enter a loss unless they only serve as data.
    targets = predict(tiny, digits[0]).softmax(1)
    loss = torch.nn.functional.cross_entropy(tiny(digits[0].float() / 255), targets)
    loss.backward()  # type: ignore[no-untyped-call]
    assert tiny.classifier.weight.grad is not None
