import numpy as np
import pytest
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

from pru_demo.projection.fidelity import map_fidelity, trustworthiness


@pytest.fixture
def flat(unlearning):
    """A trajectory in two dimensions, of which a perfect map exists: itself."""
    return unlearning(dimensions=2, samples=200, turn=False)


def _measure(trajectory, placed):
    return map_fidelity(trajectory.features, placed, trajectory.labels, trajectory.retained)


@pytest.mark.parametrize("neighbours", [1, 5, 15])
def test_trustworthiness_equals_that_of_scikit_learn(neighbours):
    points = np.random.default_rng(0).normal(size=(120, 8))
    placed = points[:, :2] + 0.1
    expected = sklearn_trustworthiness(points, placed, n_neighbors=neighbours)
    assert trustworthiness(points, placed, neighbours) == pytest.approx(expected, abs=1e-6)


def test_trustworthiness_of_a_few_samples_is_defined():
    points = np.random.default_rng(0).normal(size=(6, 4))
    assert trustworthiness(points, points[:, :2]) <= 1
    with pytest.raises(ValueError, match="at least three"):
        trustworthiness(points[:2], points[:2, :2])


def test_a_perfect_map_is_believed_in_everything(flat):
    fidelity = _measure(flat, flat.features)
    assert fidelity.trustworthiness_min == 1
    assert fidelity.movement_correlation > 0.98
    assert fidelity.nearest_class_agreement == 1


def test_a_shuffled_map_is_believed_in_nothing(flat):
    order = np.random.default_rng(0).permutation(200)
    fidelity = _measure(flat, flat.features[:, order])
    assert fidelity.trustworthiness_mean < 0.6
    assert abs(fidelity.movement_correlation) < 0.3
    assert fidelity.nearest_class_agreement < 0.5


def test_the_worst_snapshot_is_reported_beside_the_mean(flat):
    placed = flat.features.copy()
    placed[4] = placed[4, np.random.default_rng(0).permutation(200)]
    fidelity = _measure(flat, placed)
    assert fidelity.trustworthiness_min < 0.6 < 0.9 < fidelity.trustworthiness_mean


def test_motion_of_samples_that_stand_still_is_reported_in_percent_of_the_map(unlearning):
    frozen = unlearning(dimensions=2, samples=200, walk=0, turn=False)
    assert _measure(frozen, frozen.features).false_motion_percent == 0
    jumping = frozen.features.copy()
    extent = np.ptp(jumping, axis=(0, 1)).max()
    jumping[1::2] += 0.1 * extent
    assert 3 < _measure(frozen, jumping).false_motion_percent < 30


def test_common_motion_counts_as_motion_on_a_raw_map_only(flat):
    moving = flat.features + np.arange(len(flat.features))[:, np.newaxis, np.newaxis]
    raw = map_fidelity(moving, moving, flat.labels, flat.retained, align=False)
    aligned = map_fidelity(moving, moving, flat.labels, flat.retained)
    assert raw.movement_correlation > 0.99
    assert aligned.movement_correlation < raw.movement_correlation


def test_without_samples_that_stand_still_there_is_no_false_motion_to_report(flat):
    assert _measure(flat, flat.features).false_motion_percent is None


def test_one_snapshot_has_no_motion_to_judge(flat):
    fidelity = map_fidelity(flat.features[:1], flat.features[:1], flat.labels, flat.retained)
    assert fidelity.trustworthiness_mean == 1
    assert fidelity.movement_correlation is None
    assert fidelity.false_motion_percent is None
    assert fidelity.nearest_class_agreement is None


def test_positions_of_another_shape_are_refused(flat):
    with pytest.raises(ValueError, match="do not fit"):
        _measure(flat, flat.features[1:])
