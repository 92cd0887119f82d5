"""Where forgotten samples go, on tables small enough to do by hand."""

import numpy as np
import pytest
import torch

from pru_demo.evaluation.destinations import (
    SMOOTHING,
    destinations,
    kl_divergence,
    redistributed,
    resolvable,
)
from pru_demo.methods.losses import redistribute

ONE = np.array([[0, 6, 2], [1, 9, 0], [0, 0, 10]])
OTHER = np.array([[0, 2, 6], [5, 5, 0], [3, 3, 4]])


def test_destinations_are_shares_of_the_forgotten_row() -> None:
    assert destinations(ONE, [0]).tolist() == [0, 0.75, 0.25]
    assert destinations(ONE, [0, 1]).tolist() == pytest.approx([1 / 18, 15 / 18, 2 / 18])


def test_divergence_of_equal_tables_is_zero() -> None:
    assert kl_divergence(ONE, ONE, [0]) == 0


def test_divergence_is_smoothed_by_half_a_count_per_class() -> None:
    assert SMOOTHING == 0.5
    # (0, 6, 2) and (0, 2, 6), half a count added to each of three bins: 9.5 in all.
    expected = (6.5 * np.log(6.5 / 2.5) + 2.5 * np.log(2.5 / 6.5)) / 9.5
    assert kl_divergence(ONE, OTHER, [0]) == pytest.approx(expected, abs=1e-12)


def test_divergence_is_finite_where_the_reference_is_empty() -> None:
    kept = np.array([[8, 0, 0], [0, 1, 0], [0, 0, 1]])
    expected = (8.5 * np.log(8.5 / 0.5) + 0.5 * np.log(0.5 / 6.5) + 0.5 * np.log(0.5 / 2.5)) / 9.5
    assert kl_divergence(kept, ONE, [0]) == pytest.approx(expected, abs=1e-12)


def test_divergence_is_not_symmetric_and_looks_at_forgotten_rows_only() -> None:
    skewed = np.array([[0, 7, 1], [0, 0, 0], [0, 0, 0]])
    assert kl_divergence(ONE, skewed, [0]) != pytest.approx(kl_divergence(skewed, ONE, [0]))
    altered = ONE.copy()
    altered[1:] = 99
    assert kl_divergence(ONE, OTHER, [0]) == kl_divergence(altered, OTHER, [0])


@pytest.mark.parametrize("forget", [[0], [1, 3]])
def test_redistribution_of_probabilities_agrees_with_that_of_logits(forget: list[int]) -> None:
    z = torch.tensor([[2.0, 1, 0, -1], [5, 1, 0, 0.5]], dtype=torch.float64)
    shares = redistributed(z.softmax(1).numpy(), forget)
    np.testing.assert_allclose(shares, redistribute(z, forget).numpy(), atol=1e-12)
    assert (shares[:, forget] == 0).all()


def test_nothing_left_to_share_by_is_refused_and_marked_unresolvable() -> None:
    rows = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.99999, 1e-5, 0, 0]], dtype=np.float16)
    assert resolvable(rows, [0]).tolist() == [False, True, False]
    with pytest.raises(ValueError, match="nothing to share"):
        redistributed(rows, [0])
    np.testing.assert_allclose(redistributed(rows[[1]], [0]), [[0, 1, 0, 0]])


def test_probabilities_given_are_not_changed() -> None:
    given = np.array([[0.5, 0.25, 0.25]])
    redistributed(given, [0])
    assert given.tolist() == [[0.5, 0.25, 0.25]]
