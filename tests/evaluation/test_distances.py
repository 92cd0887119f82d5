"""Distances in feature space, on point clouds whose answer is known."""

import numpy as np
import pytest

from pru_demo.evaluation.distances import (
    Clusters,
    class_distance,
    n_dist,
    new_clusters,
    spread,
)

# Two clusters of two: centres (0, 1) and (4, 4).
POINTS = np.array([[0, 0], [0, 2], [4, 1], [4, 7]], dtype=np.float16)
CLUSTERS = np.array([5, 5, 2, 2])


def test_n_dist_is_the_distance_to_the_centre_over_its_mean() -> None:
    features = np.array([[0.0], [0.0], [0.0], [4.0]])
    # The centre is 1, the distances are 1, 1, 1, 3 and their mean 1.5.
    expected = [1 / 1.5, 1 / 1.5, 1 / 1.5, 2]
    assert n_dist(features, np.full(4, 9)).tolist() == pytest.approx(expected)


def test_n_dist_is_one_on_average_in_every_class() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=200)
    features = (rng.normal(size=(200, 5)) * (1 + labels[:, np.newaxis])).astype(np.float16)
    distances = n_dist(features, labels)
    for label in range(3):
        assert distances[labels == label].mean() == pytest.approx(1, abs=1e-12)


def test_n_dist_does_not_see_how_far_forgotten_classes_are_apart() -> None:
    moved = POINTS + np.array([0, 100]) * (CLUSTERS == 2)[:, np.newaxis]
    np.testing.assert_allclose(n_dist(moved, CLUSTERS), n_dist(POINTS, CLUSTERS))


def test_coinciding_features_are_at_the_mean_distance() -> None:
    assert n_dist(np.full((3, 2), 0.1), np.array([9, 9, 4])).tolist() == [1, 1, 1]


def test_features_that_are_no_numbers_have_no_distance() -> None:
    features = np.array([[np.nan, 0], [1, 0], [0, 0], [4, 0]])
    distances = n_dist(features, np.array([9, 9, 4, 4]))
    assert np.isnan(distances).tolist() == [True, True, False, False]


def test_class_distance_is_the_mean_over_pairs_of_centres() -> None:
    assert class_distance(POINTS.astype(float), CLUSTERS) == 5
    # Cluster 0 lies on the centre of cluster 5; cluster 2 is (4, 3) away from both.
    three = np.concatenate([POINTS, [[0, 1]]])
    assert class_distance(three, np.array([5, 5, 2, 2, 0])) == pytest.approx(10 / 3)


def test_fewer_than_two_classes_have_no_distance() -> None:
    assert class_distance(POINTS, np.full(4, 7)) is None
    assert class_distance(POINTS[:0], CLUSTERS[:0]) is None


def test_spread_is_the_mean_distance_of_samples_to_their_centre() -> None:
    assert spread(POINTS, CLUSTERS) == pytest.approx((1 + 1 + 3 + 3) / 4)
    # Samples count, not clusters.
    assert spread(POINTS[[0, 1, 2]], CLUSTERS[[0, 1, 2]]) == pytest.approx(2 / 3)


def test_half_precision_neither_overflows_nor_rounds_the_centre() -> None:
    features = np.full((3000, 1), 60_000, dtype=np.float16)
    features[::2] = 60_032
    assert spread(features, np.zeros(3000, dtype=int)) == pytest.approx(16)


# Retained classes 0 and 1 lie 10 apart: that is the unit. Class 9 is forgotten: six samples
# destined for 0 around (0, 5), six for 1 around (4, 5), each 1 from its centre.
AROUND = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 0), (-1, 0)], float)
RETAINED = np.concatenate([np.zeros((4, 2)), np.full((4, 2), (10.0, 0.0))])
FORGOTTEN = np.concatenate([np.add(AROUND, (0, 5)), np.add(AROUND, (4, 5))])
FEATURES = np.concatenate([RETAINED, FORGOTTEN])
LABELS = np.repeat([0, 1, 9], [4, 4, 12])
DESTINED = np.concatenate([LABELS[:8], np.repeat([0, 1], 6)])
IS_FORGOTTEN = LABELS == 9


def test_distances_are_in_units_of_the_retained_classes() -> None:
    found = new_clusters(FEATURES, LABELS, DESTINED, IS_FORGOTTEN)
    assert found == Clusters(pytest.approx(0.4), pytest.approx(0.1))


def test_the_unit_of_length_does_not_matter() -> None:
    one = new_clusters(FEATURES, LABELS, DESTINED, IS_FORGOTTEN)
    other = new_clusters(1000 * FEATURES - 7, LABELS, DESTINED, IS_FORGOTTEN)
    assert (other.between, other.within) == pytest.approx((one.between, one.within))


def test_retained_samples_belong_to_no_new_cluster() -> None:
    destined = DESTINED.copy()
    destined[:8] = 1 - destined[:8]
    assert new_clusters(FEATURES, LABELS, destined, IS_FORGOTTEN) == new_clusters(
        FEATURES, LABELS, DESTINED, IS_FORGOTTEN
    )


def test_a_cluster_of_four_is_left_out() -> None:
    destined = DESTINED.copy()
    destined[8:10] = 1  # four are left in cluster 0
    assert new_clusters(FEATURES, LABELS, destined, IS_FORGOTTEN) == Clusters(None, None)


def test_one_cluster_has_no_distance() -> None:
    destined = np.where(IS_FORGOTTEN, 1, DESTINED)
    assert new_clusters(FEATURES, LABELS, destined, IS_FORGOTTEN) == Clusters(None, None)


def test_without_a_unit_there_is_no_distance() -> None:
    collapsed = np.where(IS_FORGOTTEN[:, np.newaxis], FEATURES, 0.0)
    assert new_clusters(collapsed, LABELS, DESTINED, IS_FORGOTTEN) == Clusters(None, None)
