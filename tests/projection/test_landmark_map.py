import numpy as np
import pytest

from pru_demo.projection.fidelity import map_fidelity
from pru_demo.projection.landmark_map import LandmarkMap, fit_landmark_map

pytestmark = pytest.mark.slow  # umap-learn compiles for half a minute


@pytest.fixture(scope="module")
def fitted(unlearning):
    """A run, and the map fitted to it."""
    run = unlearning()
    return run, fit_landmark_map([run.features], run.retained, seed=0)


def test_neighbours_on_the_map_are_true(fitted):
    run, landmark_map = fitted
    placed = landmark_map.place(run.features)
    fidelity = map_fidelity(run.features, placed, run.labels, run.retained)
    assert fidelity.trustworthiness_mean > 0.96
    assert fidelity.movement_correlation > 0.4


def test_what_stands_still_or_comes_back_does_so_on_the_map(fitted):
    run, landmark_map = fitted
    placed = landmark_map.place(run.features[[0, 4, 0]])
    assert np.array_equal(placed[0], placed[2])
    assert not np.array_equal(placed[0], placed[1])


def test_the_same_seed_gives_the_same_map_and_arrays_bring_it_back(fitted):
    run, landmark_map = fitted
    placed = landmark_map.place(run.features)
    again = fit_landmark_map([run.features], run.retained, seed=0)
    assert np.array_equal(again.place(run.features), placed)
    stored = LandmarkMap.from_arrays(landmark_map.arrays())
    assert np.array_equal(stored.place(run.features), placed)


def test_every_sample_is_a_landmark_twice_and_all_moments_have_as_many(unlearning, monkeypatch):
    from pru_demo.projection import landmark_map as module

    monkeypatch.setattr(module, "fit_umap", lambda points, **_: points[:, :2])
    run = unlearning()
    fitted = fit_landmark_map([run.features, run.features], run.retained, seed=0)
    assert fitted.landmarks.shape == (800, 48)
    # 1 + 8 + 8 snapshots, and the two runs are equal: 800 / 17 of the original, else twice that.
    snapshots = fitted.plane.coordinates(run.features)
    found = [int((x[:, None, 0] == fitted.landmarks[None, :, 0]).sum()) for x in snapshots]
    assert sum(found) == 800
    assert 46 <= found[0] <= 48
    assert all(92 <= each <= 96 for each in found[1:])
