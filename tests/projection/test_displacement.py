import numpy as np
import pytest

from pru_demo.projection import displacement

LABELS = np.repeat([0, 1, 2], 30)
RETAINED = LABELS != 0


@pytest.fixture
def original() -> np.ndarray:
    """(90, 6): class 0 at the origin, classes 1 and 2 on the first axis, 8 apart."""
    points = 0.1 * np.random.default_rng(0).normal(size=(90, 6))
    points[LABELS == 1, 0] += 4
    points[LABELS == 2, 0] -= 4
    return points


def test_the_unit_is_the_distance_between_retained_classes(original):
    moved = original.copy()
    moved[~RETAINED, 3] += 4
    before, after = displacement(np.stack([original, moved]), RETAINED, LABELS)
    assert np.array_equal(before, np.zeros(90))
    assert np.allclose(after[~RETAINED], 0.5, atol=0.01)
    assert np.allclose(after[RETAINED], 0, atol=1e-4)


def test_motion_common_to_all_samples_counts_as_none(original):
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    features = np.stack([original, 2 * original @ rotation - 1])
    assert displacement(features, RETAINED, LABELS).max() < 1e-3


def test_coinciding_features_have_displacement_zero(original):
    features = np.full((3, *original.shape), 0.1)
    assert np.array_equal(displacement(features, RETAINED, LABELS), np.zeros((3, 90)))


def test_one_retained_class_gives_no_unit(original):
    with pytest.raises(ValueError, match="at least two retained classes"):
        displacement(original[np.newaxis], LABELS == 1, LABELS)
