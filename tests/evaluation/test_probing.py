"""New classifiers in feature space, on point clouds whose answer is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pru_demo.evaluation.probing import Probe, crossed_probe, knn_probe, linear_probe


def cloud(per_class: int, classes: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """Class c lies around 6 on axis c."""
    labels = np.repeat(np.arange(classes), per_class)
    noise = np.random.default_rng(seed).normal(size=(len(labels), classes))
    return noise + 6 * np.eye(classes)[labels], labels


def test_both_probes_find_separable_classes() -> None:
    data = (*cloud(60, 4, 0), *cloud(40, 4, 1))
    for found in (linear_probe(*data, [2], seed=0), knn_probe(*data, [2])):
        assert found.A_f > 97
        assert found.A_r > 97


def test_both_probes_are_at_chance_on_noise() -> None:
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(4), 400)
    data = (rng.normal(size=(1600, 6)), labels, rng.normal(size=(1600, 6)), labels)
    for found in (linear_probe(*data, [2], seed=0), knn_probe(*data, [2])):
        # The neighbours' vote breaks ties by the smaller label: classes are not equally likely.
        assert (found.A_f + 3 * found.A_r) / 4 == pytest.approx(25, abs=4)


def test_only_neighbours_find_a_class_that_no_plane_separates() -> None:
    rng = np.random.default_rng(0)
    features = rng.uniform(-1, 1, size=(1200, 2))
    labels = (features[:, 0] * features[:, 1] > 0).astype(int)
    data = (features[:800], labels[:800], features[800:], labels[800:])
    near, linear = knn_probe(*data, [1]), linear_probe(*data, [1], seed=0)
    assert near.A_f > 90
    assert near.A_r > 90
    assert (linear.A_f + linear.A_r) / 2 < 65


def test_probe_accuracies_are_percentages_of_forgotten_and_other_samples() -> None:
    features, labels = cloud(30, 3, 0)
    shown = np.array([0, 1, 30, 60, 61, 62])
    claimed = np.array([0, 0, 1, 2, 2, 0])
    data = (features, labels, features[shown], claimed)
    # What is really of class 2 is said to be of class 0 in the last row.
    expected = Probe(pytest.approx(100), pytest.approx(75))
    assert linear_probe(*data, [2], seed=0) == expected
    assert knn_probe(*data, [2]) == expected
    assert knn_probe(*data, [0]).A_f == pytest.approx(100 * 2 / 3)


def test_the_crossed_probe_finds_separable_classes_and_nothing_in_noise() -> None:
    features, labels = cloud(60, 4, 0)
    found = crossed_probe(features, labels, [2], seed=0)
    assert min(found.A_f, found.A_r) > 97
    noise = np.random.default_rng(0).normal(size=(1600, 6))
    nothing = crossed_probe(noise, np.tile(np.arange(4), 400), [2], seed=0)
    assert (nothing.A_f + 3 * nothing.A_r) / 4 == pytest.approx(25, abs=4)


def test_no_sample_is_judged_by_a_probe_that_has_seen_it() -> None:
    # With a feature for every sample, what was seen is known by heart and the rest is guessed.
    features, labels = np.eye(80), np.repeat([0, 1], 40)
    found = crossed_probe(features, labels, [1], seed=0)
    assert found.A_f + found.A_r == pytest.approx(100)


def test_a_larger_class_is_not_found_more_often_for_being_larger() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [1000, 100])
    found = crossed_probe(rng.normal(size=(1100, 3)), labels, [0], seed=0)
    assert found.A_f == pytest.approx(50, abs=12)


def test_of_classes_of_one_sample_each_none_is_found() -> None:
    found = crossed_probe(np.eye(4), np.arange(4), [2], seed=0)
    assert (found.A_f, found.A_r) == (0, 0)


def test_a_class_of_one_sample_is_no_error() -> None:
    features, labels = cloud(20, 3, 0)
    single = np.append(labels, 7)
    found = crossed_probe(np.vstack([features, features[:1]]), single, [7], seed=0)
    assert found.A_f == 0


def test_the_linear_probe_does_not_mind_units() -> None:
    data = (*cloud(60, 4, 0), *cloud(40, 4, 1))
    plain = linear_probe(*data, [1], seed=0)
    units = np.array([1e-5, 1, 100, 1e5])
    scaled = linear_probe(data[0] * units - 7, data[1], data[2] * units - 7, data[3], [1], seed=0)
    assert scaled == plain


def test_a_feature_that_never_varied_in_training_does_not_decide() -> None:
    train, train_labels, test, test_labels = (*cloud(60, 4, 0), *cloud(40, 4, 1))
    plain = linear_probe(train, train_labels, test, test_labels, [1], seed=0)
    # The mean of many 0.1 is not 0.1: the deviation is a rounding error, not zero.
    dead = np.full((len(train), 1), 0.1)
    assert dead.std() > 0
    awake = np.random.default_rng(0).normal(size=(len(test), 1))
    found = linear_probe(
        np.hstack([train, dead]), train_labels, np.hstack([test, awake]), test_labels, [1], seed=0
    )
    assert found == plain
