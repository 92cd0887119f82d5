"""Distances between and inside new clusters, on clouds laid out by hand."""

import numpy as np
import pytest

from pru_demo.evaluation.distances import Clusters, new_clusters

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
