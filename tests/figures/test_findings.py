"""The sentences say what the record says, no more and no less."""

import pytest

from pru_demo.config import Scenario
from pru_demo.figures.findings import comeback_finding, control_finding, percent, relearning_finding
from pru_demo.figures.naming import forgotten_example, forgotten_images, images_called
from tests.figures.records import record_with

CATS_AND_DOGS = Scenario(dataset="cifar10", model="allcnn", forget=(3, 5))


def test_the_last_epoch_is_what_ten_epochs_of_relearning_lead_to() -> None:
    said = relearning_finding(record_with([0, *[98.8] * 10]))
    assert "After 10 epochs of relearning it is 99 %: **it came back**" in said


def test_a_clearly_higher_epoch_is_named_beside_the_last() -> None:
    said = relearning_finding(record_with([0, 99.1, *[98.0] * 8, 96.5]))
    assert "it is 96 % (at its highest 99 %, after epoch 1): **it came back**" in said


def test_the_epoch_before_relearning_is_not_its_highest() -> None:
    said = relearning_finding(record_with([60, 20, 30, 29.5]))
    assert "After 3 epochs of relearning it is 30 %: **part of it came back**" in said


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 %"), (0.2, "0.2 %"), (32.4, "32 %"), (99.7, "99.7 %"), (100, "100 %")],
)
def test_only_everything_is_rounded_to_everything(value: float, text: str) -> None:
    assert percent(value) == text


def test_what_was_never_forgotten_is_told_from_what_came_back() -> None:
    said = comeback_finding(record_with([32, 99]), 10, kept=32.2, back=66.7)
    assert "67 % have come back by epoch 10; 32 % had never been forgotten" in said
    said = comeback_finding(record_with([0, 99]), 10, kept=0, back=99)
    assert "never been forgotten" not in said


@pytest.mark.parametrize("method", ["original", "retrain"])
def test_nothing_comes_back_that_was_not_forgotten(method: str) -> None:
    said = comeback_finding(record_with([99, 99], method), 10, kept=99.2, back=0.2)
    assert "have come back" not in said


@pytest.mark.parametrize("method", ["mask", "head_only", "original", "retrain"])
def test_a_yardstick_is_not_said_to_have_forgotten_in_its_weights(method: str) -> None:
    assert control_finding(record_with([0, 0], method, control=0.0)) is None
    assert control_finding(record_with([0, 0], "pru", control=0.0)) is not None


def test_classes_are_called_what_they_are() -> None:
    assert forgotten_images(Scenario(forget=(3, 9))) == "3s and 9s"
    assert forgotten_example(Scenario(forget=(3, 8))) == "a 3 or an 8"
    assert images_called("mnist") == "digits"
    assert forgotten_images(CATS_AND_DOGS) == "cat and dog images"
    assert forgotten_example(Scenario(dataset="cifar10", model="allcnn", forget=(0,))) == (
        "an airplane"
    )
    assert images_called("cifar10") == "images"
    record = record_with([0, 99], scenario=CATS_AND_DOGS)
    assert "0 % of the cat and dog images" in relearning_finding(record)
    assert "50 % of the cat and dog images" in str(control_finding(record))
