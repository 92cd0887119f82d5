import numpy as np
import pytest

from pru_demo.projection.align import displacement, reference_of


@pytest.fixture
def cloud() -> np.ndarray:
    """(200, 24) with a different width in every direction, far from the origin."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(200, 24)) * np.geomspace(1, 0.05, 24) + 5


RETAINED = np.arange(200) >= 20


def test_alignment_undoes_rotation_scale_and_shift(cloud):
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(24, 24)))[0]
    moved = 3 * cloud @ rotation + 7
    first, second = reference_of(cloud, RETAINED).align(np.stack([cloud, moved]))
    assert np.abs(second - first).max() < 1e-3


def test_alignment_keeps_the_shape_of_a_snapshot(cloud):
    (aligned,) = reference_of(cloud, RETAINED).align(cloud[np.newaxis])
    before = np.linalg.norm(cloud[:, np.newaxis] - cloud, axis=2)
    after = np.linalg.norm(aligned[:, np.newaxis] - aligned, axis=2)
    ratio = after[before > 0] / before[before > 0]
    assert np.ptp(ratio) / ratio.mean() < 1e-4


def test_retained_samples_have_unit_radius_around_the_origin(cloud):
    (aligned,) = reference_of(cloud, RETAINED).align(cloud[np.newaxis])
    assert np.allclose(aligned[RETAINED].mean(axis=0), 0, atol=1e-5)
    assert np.square(aligned[RETAINED]).sum(axis=1).mean() == pytest.approx(1, abs=1e-4)


def test_forgotten_samples_have_no_say_in_the_pose(cloud):
    moved = cloud.copy()
    moved[~RETAINED] += 4
    still, after = reference_of(cloud, RETAINED).align(np.stack([cloud, moved]))
    assert np.array_equal(still[RETAINED], after[RETAINED])
    assert np.linalg.norm(still - after, axis=1)[~RETAINED].min() > 1


def test_motion_in_a_direction_retained_samples_do_not_span_keeps_that_direction(cloud):
    directions = np.linalg.qr(np.random.default_rng(1).normal(size=(24, 24)))[0]
    flat = cloud[:, :12] @ directions[:12]
    moved = flat.copy()
    moved[~RETAINED] += 2 * directions[20]
    still, after = reference_of(flat, RETAINED).align(np.stack([flat, moved]))
    motion = np.abs((after - still)[~RETAINED] @ directions.T).mean(axis=0)
    assert motion[20] > 0.2
    assert np.delete(motion, 20).max() < 0.01 * motion[20]


def test_a_collapsed_snapshot_is_one_point_not_a_cloud_of_noise(cloud):
    constant = np.full_like(cloud, 0.1)
    _, collapsed = reference_of(cloud, RETAINED).align(np.stack([cloud, constant]))
    assert np.abs(collapsed).max() < 1e-6


def test_a_snapshot_aligns_to_the_same_bits_in_any_company(cloud):
    reference = reference_of(cloud, RETAINED)
    many = np.stack([cloud, cloud * 2 + 1, cloud**2])
    assert np.array_equal(reference.align(many)[2], reference.align(many[2:])[0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_in_words(cloud, value):
    cloud[3, 3] = value
    with pytest.raises(ValueError, match="NaN or infinite"):
        reference_of(cloud, RETAINED)


@pytest.mark.parametrize(
    ("retained", "sentence"),
    [
        (RETAINED[:-1], "one per sample"),
        (RETAINED.astype(int), "booleans"),
        (np.zeros(200, bool), "At least two retained"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(cloud, retained, sentence):
    with pytest.raises(ValueError, match=sentence):
        reference_of(cloud, retained)


def test_features_of_another_width_are_refused(cloud):
    with pytest.raises(ValueError, match="12 dimensions, the map 24"):
        reference_of(cloud, RETAINED).align(cloud[np.newaxis, :, :12])


LABELS = np.repeat([0, 1, 2], 30)
KEPT = LABELS != 0


@pytest.fixture
def original() -> np.ndarray:
    """(90, 6): class 0 at the origin, classes 1 and 2 on the first axis, 8 apart."""
    points = 0.1 * np.random.default_rng(0).normal(size=(90, 6))
    points[LABELS == 1, 0] += 4
    points[LABELS == 2, 0] -= 4
    return points


def test_the_unit_is_the_distance_between_retained_classes(original):
    moved = original.copy()
    moved[~KEPT, 3] += 4
    before, after = displacement(np.stack([original, moved]), KEPT, LABELS)
    assert np.array_equal(before, np.zeros(90))
    assert np.allclose(after[~KEPT], 0.5, atol=0.01)
    assert np.allclose(after[KEPT], 0, atol=1e-4)


def test_motion_common_to_all_samples_counts_as_none(original):
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    features = np.stack([original, 2 * original @ rotation - 1])
    assert displacement(features, KEPT, LABELS).max() < 1e-3


def test_coinciding_features_have_displacement_zero(original):
    features = np.full((3, *original.shape), 0.1)
    assert np.array_equal(displacement(features, KEPT, LABELS), np.zeros((3, 90)))


def test_one_retained_class_gives_no_unit(original):
    with pytest.raises(ValueError, match="at least two retained classes"):
        displacement(original[np.newaxis], LABELS == 1, LABELS)
