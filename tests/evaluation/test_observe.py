"""A_f and A_r on cases counted by hand; a broken network is said to be broken."""

from typing import Any

import numpy as np
import pytest
import torch

from pru_demo.evaluation.observe import Observation, observe
from pru_demo.evaluation.observe import TestSet as Measured
from pru_demo.heartbeat import listening
from pru_demo.models import predict as module
from pru_demo.models.split import SplitModel
from tests.same import changed, frozen


def observation(confusion: list[list[int]], probabilities: Any = None) -> Observation:
    counts = np.array(confusion, dtype=np.int32)
    p = np.full((4, len(counts)), 1 / len(counts), dtype=np.float32)
    return Observation(
        counts, np.zeros((4, 2), np.float16), p if probabilities is None else probabilities
    )


SEEN = observation([[8, 2, 0, 0], [0, 5, 5, 0], [1, 1, 1, 17], [0, 0, 0, 50]])


@pytest.mark.parametrize(
    ("forget", "a_f", "a_r"),
    [
        ((0,), 100 * 8 / 10, 100 * 56 / 80),
        ((2,), 100 * 1 / 20, 100 * 63 / 70),
        ((0, 2), 100 * 9 / 30, 100 * 55 / 60),
    ],
)
def test_accuracies_count_images_not_classes(
    forget: tuple[int, ...], a_f: float, a_r: float
) -> None:
    assert SEEN.accuracies(forget) == pytest.approx((a_f, a_r))


def test_a_network_that_answers_several_classes_has_no_problem() -> None:
    assert SEEN.problem() is None


def test_constant_prediction_is_a_problem() -> None:
    constant = observation([[0, 0, 7], [0, 0, 3], [0, 0, 5]])
    assert constant.problem() == "it answers 2 whatever it sees"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_no_numbers_are_a_problem(bad: float) -> None:
    p = np.full((4, 4), 0.25, dtype=np.float32)
    p[2, 1] = bad
    seen = Observation(SEEN.confusion, SEEN.features, p)
    assert seen.problem() == "its outputs are no longer numbers"


@pytest.fixture
def test(few: Any) -> Measured:
    images, labels = few(6, tuple(range(10)))
    shown = torch.tensor([3, 0, 59, 17])
    return Measured(images, labels, shown, np.array([103, 100, 159, 117], dtype=np.int32))


def test_observation_of_a_real_network(tiny: SplitModel, test: Measured) -> None:
    seen = observe(tiny, test)
    with torch.no_grad():
        x = test.images.float() / 255
        features, logits = tiny.features(x), tiny(x)
    answers = logits.argmax(1)
    for truth in range(10):
        for answer in range(10):
            count = ((test.labels == truth) & (answers == answer)).sum()
            assert seen.confusion[truth, answer] == count
    assert seen.confusion.dtype == np.int32
    assert seen.features.dtype == np.float16
    assert seen.probabilities.dtype == np.float32
    np.testing.assert_allclose(seen.features, features[test.shown], atol=2e-3, rtol=1e-3)
    np.testing.assert_allclose(seen.probabilities, logits[test.shown].softmax(1), atol=1e-6)
    # Inputs are not changed by being looked at.
    assert seen.accuracies({9})[0] == pytest.approx(
        100 * (answers[test.labels == 9] == 9).float().mean().item()
    )


@pytest.mark.parametrize("training", [True, False])
def test_observing_changes_nothing(tiny: SplitModel, test: Measured, training: bool) -> None:
    tiny.train(training)
    before = frozen(tiny)
    observe(tiny, test)
    assert not changed(before, tiny)
    assert tiny.training == training


def test_a_class_that_the_test_set_lacks_leaves_an_empty_row(tiny: SplitModel, few: Any) -> None:
    images, labels = few(5, (0, 1))
    test = Measured(images, labels, torch.arange(3), np.arange(3, dtype=np.int32))
    confusion = observe(tiny, test).confusion
    assert confusion.shape == (10, 10)
    assert confusion.sum(1).tolist() == [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]


def test_weights_that_are_no_numbers_are_observed_without_raising(
    tiny: SplitModel, test: Measured
) -> None:
    with torch.no_grad():
        tiny.classifier.weight.fill_(float("nan"))
    seen = observe(tiny, test)
    assert seen.confusion.sum() == 60
    assert seen.problem() == "its outputs are no longer numbers"


def test_an_untrained_constant_network_has_a_problem(tiny: SplitModel, test: Measured) -> None:
    with torch.no_grad():
        tiny.classifier.weight.zero_()
        tiny.classifier.bias.copy_(torch.eye(10)[4])
    assert observe(tiny, test).problem() == "it answers 4 whatever it sees"


def test_a_beat_follows_every_part(
    tiny: SplitModel, test: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = observe(tiny, test)
    monkeypatch.setattr(module, "measuring_batch", lambda _: 25)
    beats: list[int] = []
    with listening(lambda: beats.append(1)):
        parts = observe(tiny, test)
    assert len(beats) == 3
    assert np.array_equal(parts.confusion, whole.confusion)
