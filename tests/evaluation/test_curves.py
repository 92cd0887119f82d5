"""Relearning curves summed up."""

import pytest

from pru_demo.evaluation.relearning import Comeback, comeback


def test_a_constant_curve_is_its_own_area() -> None:
    assert comeback([20.0] * 11) == Comeback(20, 20, 0, None)


def test_a_straight_rise_has_half_its_height() -> None:
    assert comeback([10.0 * epoch for epoch in range(11)]) == Comeback(50, 100, 1, 5)


def test_the_ends_count_half() -> None:
    assert comeback([100, 0, 0, 0, 0]).area == pytest.approx(12.5)
    assert comeback([0, 0, 100, 0, 0]).area == pytest.approx(25)


def test_a_curve_that_falls_again_has_been_at_its_maximum() -> None:
    assert comeback([0.0, 9.9, 88.0, 12.0]) == Comeback(
        pytest.approx((4.95 + 48.95 + 50) / 3), 88, 2, 2
    )


def test_thresholds_are_reached_by_equality() -> None:
    assert comeback([0, 10, 49.99, 50]).reaches_10 == 1
    assert comeback([0, 10, 49.99, 50]).reaches_50 == 3


def test_what_never_comes_back_reaches_nothing() -> None:
    assert comeback([0.0] * 11) == Comeback(0, 0, None, None)


def test_without_relearning_the_area_is_the_value() -> None:
    assert comeback([37.5]) == Comeback(37.5, 37.5, 0, None)


def test_a_curve_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        comeback([])
