"""How alike two networks answer, on tables and rows small enough to do by hand."""

import numpy as np
import pytest

from pru_demo.evaluation.agreement import (
    activation_distance,
    agreement,
    forgotten_probability,
    js_divergence,
    masked_accuracy,
    ou_epsilon,
    zrf,
)

ONE = np.array([[0, 6, 2], [1, 9, 0], [0, 0, 10]])
KEPT = np.array([[8, 0, 0], [0, 1, 0], [0, 0, 1]])


def test_equal_histograms_do_not_diverge() -> None:
    assert js_divergence(ONE, ONE, [0]) == 0
    assert js_divergence(ONE, 5 * ONE, [0]) == 0


def test_histograms_without_a_common_bin_diverge_by_ln_2() -> None:
    assert js_divergence(ONE, KEPT, [0]) == pytest.approx(np.log(2), abs=1e-15)


def test_divergence_of_a_half_shared_histogram() -> None:
    half = np.array([[4, 4, 0], [0, 0, 0], [0, 0, 0]])
    # (1, 0) and (1/2, 1/2), whose middle is (3/4, 1/4).
    expected = 0.5 * np.log(4 / 3) + 0.5 * (0.5 * np.log(2 / 3) + 0.5 * np.log(2))
    assert js_divergence(KEPT, half, [0]) == pytest.approx(expected, abs=1e-15)
    assert js_divergence(half, KEPT, [0]) == pytest.approx(expected, abs=1e-15)


def test_divergence_looks_at_the_forgotten_rows_together() -> None:
    altered = ONE.copy()
    altered[1:] = 99
    assert js_divergence(ONE, altered, [0]) == 0
    swapped = ONE[[1, 0, 2]]
    assert js_divergence(ONE, swapped, (0, 1)) == 0
    assert js_divergence(ONE, swapped, {0}) > 0


def test_agreement_is_the_share_of_equal_answers() -> None:
    assert agreement(np.array([4, 4, 7, 1]), np.array([4, 7, 7, 3])) == 0.5


def test_activation_distance_is_a_mean_of_lengths() -> None:
    p_un = np.array([[1, 0, 0], [0.5, 0.5, 0]], dtype=np.float16)
    p_re = np.array([[0, 1, 0], [0.5, 0.5, 0]], dtype=np.float16)
    assert activation_distance(p_un, p_re) == pytest.approx(np.sqrt(2) / 2)


def test_zrf_is_one_for_a_network_like_the_random_one() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(10), size=20).astype(np.float32)
    assert zrf(p, p) == 1


def test_zrf_is_one_minus_ln_2_at_least() -> None:
    sure = np.tile(np.array([[1.0, 0, 0]]), (4, 1))
    assert zrf(sure, np.roll(sure, 1, axis=1)) == pytest.approx(1 - np.log(2))


def test_zrf_is_a_mean_over_samples_not_over_classes() -> None:
    p_un = np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0]])
    p_random = np.array([[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]])
    js = 0.5 * np.log(4 / 3) + 0.5 * (0.5 * np.log(2 / 3) + 0.5 * np.log(2))
    assert zrf(p_un, p_random) == pytest.approx(1 - js / 2)


def test_over_unlearning_is_none_where_the_answers_are_the_masked_ones() -> None:
    p_masked = np.array([[0.0, 0.25, 0.75], [0.0, 1.0, 0.0]], np.float32)
    assert ou_epsilon(p_masked, p_masked) == 0


def test_over_unlearning_of_a_uniform_network_is_what_it_is_by_hand() -> None:
    # Sure of one of the two classes that are left, against a third for each of all three. The
    # middle is (1/6, 2/3, 1/6).
    p_masked, p_un = np.array([[0.0, 1, 0]]), np.full((1, 3), 1 / 3)
    sure, uniform = np.log(3 / 2), (2 * np.log(2) + np.log(1 / 2)) / 3
    expected = (sure + uniform) / 2
    assert ou_epsilon(p_un, p_masked) == pytest.approx(expected, abs=1e-15)
    assert ou_epsilon(p_masked, p_un) == pytest.approx(expected, abs=1e-15)
    # Samples count alike.
    both = np.vstack([p_un, p_masked]), np.vstack([p_masked, p_masked])
    assert ou_epsilon(*both) == pytest.approx(expected / 2, abs=1e-15)


SCORES = np.array([[9.0, -5, -7], [9, -7, -5], [-1, -2, -3], [0, 8, 9]])
LABELS = np.array([1, 1, 2, 0])


def test_masking_leaves_the_best_retained_class() -> None:
    # Unmasked only wrong answers; masked 1, 2, 1 for the retained labels 1, 1, 2.
    assert (SCORES.argmax(1) != LABELS).all()
    assert masked_accuracy(SCORES, LABELS, [0]) == pytest.approx(100 / 3)


def test_forgotten_samples_do_not_count_in_the_masked_accuracy() -> None:
    assert masked_accuracy(SCORES[[0, 3, 3]], LABELS[[0, 3, 3]], [0]) == 100
    assert masked_accuracy(SCORES, np.array([1, 2, 1, 0]), [0]) == 100


def test_masking_logits_and_probabilities_is_the_same_and_changes_neither() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(200, 5)), rng.integers(5, size=200)
    given = logits.copy()
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert masked_accuracy(logits, labels, {1, 3}) == masked_accuracy(p, labels, {1, 3})
    assert np.array_equal(given, logits)


def test_p_f_is_summed_over_the_forgotten_classes() -> None:
    p = np.array([[0.5, 0.25, 0.25], [0, 0.75, 0.25]], dtype=np.float16)
    assert forgotten_probability(p, [0]) == {"mean": 0.25, "maximum": 0.5}
    assert forgotten_probability(p, [0, 1]) == {"mean": 0.75, "maximum": 0.75}
