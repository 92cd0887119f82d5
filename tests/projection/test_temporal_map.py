import io
import subprocess
import sys

import numpy as np
import pytest
import torch

from pru_demo.projection.fidelity import map_fidelity
from pru_demo.projection.temporal_map import TemporalMap, fit_temporal_map, pca_map

FEW_STEPS = 20


@pytest.fixture(scope="module", params=[48, 192])
def fitted(request, unlearning):
    """Two runs, and the map fitted to both."""
    runs = [unlearning(dimensions=request.param, seed=seed) for seed in (0, 1)]
    both = [run.features for run in runs]
    return runs, fit_temporal_map(both, runs[0].retained, seed=0)


@pytest.fixture(scope="module")
def roughly_fitted(unlearning):
    """One run, and a map trained just enough to differ from PCA."""
    run = unlearning()
    return run, fit_temporal_map([run.features], run.retained, seed=0, steps=FEW_STEPS)


def _measure(run, placed):
    return map_fidelity(run.features, placed, run.labels, run.retained)


def test_neighbours_and_movement_on_the_map_are_true(fitted):
    runs, temporal_map = fitted
    for run in runs:
        fidelity = _measure(run, temporal_map.place(run.features))
        assert fidelity.trustworthiness_min > 0.98
        assert fidelity.movement_correlation > 0.85
        # Chance is 1/9. Farther neighbourhoods are what the map gives up for near ones.
        assert fidelity.nearest_class_agreement > 0.4


def test_training_repairs_the_neighbourhoods_of_pca(fitted):
    runs, temporal_map = fitted
    plane = pca_map([run.features for run in runs], runs[0].retained)
    # In many dimensions these clusters lie so far apart that the plane is good already.
    least = {48: 0.02, 192: 0.004}[runs[0].features.shape[2]]
    before, after = (_measure(runs[0], m.place(runs[0].features)) for m in (plane, temporal_map))
    assert after.trustworthiness_mean > before.trustworthiness_mean + least


def test_what_stands_still_in_feature_space_stands_still_on_the_map(unlearning):
    run = unlearning(walk=0, turn=False)
    placed = fit_temporal_map([run.features], run.retained, seed=0, steps=FEW_STEPS).place(
        run.features
    )
    assert (placed[:, run.retained] == placed[0, run.retained]).all()
    assert (placed[4, ~run.retained] != placed[0, ~run.retained]).all()
    assert _measure(run, placed).false_motion_percent == 0


def test_a_cluster_that_walks_to_another_walks_there_on_the_map(unlearning):
    start = unlearning().features[0]
    labels, retained = unlearning().labels, unlearning().labels != 3
    towards = start[labels == 5].mean(axis=0) - start[labels == 3].mean(axis=0)
    run = np.stack([start] * 6)
    run[:, labels == 3] += np.linspace(0, 0.9, 6)[:, np.newaxis, np.newaxis] * towards
    placed = fit_temporal_map([run], retained, seed=0, steps=200).place(run.astype(np.float32))
    walker = placed[:, labels == 3].mean(axis=1)
    others = {label: placed[0, labels == label].mean(axis=0) for label in range(10) if label != 3}
    nearest_at_end = min(others, key=lambda label: np.linalg.norm(walker[-1] - others[label]))
    assert nearest_at_end == 5
    remaining = np.linalg.norm(walker - others[5], axis=1)
    assert remaining[-1] < 0.35 * remaining[0]


def test_what_comes_back_in_feature_space_comes_back_on_the_map(roughly_fitted):
    run, temporal_map = roughly_fitted
    there_and_back = run.features[[0, 4, 0]]
    placed = temporal_map.place(there_and_back)
    assert np.array_equal(placed[0], placed[2])
    assert not np.array_equal(placed[0], placed[1])


def test_a_run_the_map_has_not_seen_starts_at_the_same_places(roughly_fitted, unlearning):
    run, temporal_map = roughly_fitted
    stranger = unlearning(seed=5).features
    assert np.array_equal(temporal_map.place(stranger)[0], temporal_map.place(run.features)[0])
    assert not np.array_equal(temporal_map.place(stranger)[1], temporal_map.place(run.features)[1])


def test_a_model_turned_and_scaled_as_a_whole_does_not_move(roughly_fitted):
    run, temporal_map = roughly_fitted
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(48, 48)))[0]
    placed = temporal_map.place(np.stack([run.features[0], 5 * run.features[0] @ turn]))
    assert np.abs(placed[1] - placed[0]).max() < 0.01 * np.ptp(placed)


def test_a_turn_of_the_whole_space_is_seen_on_the_raw_map_only(unlearning):
    run = unlearning(walk=0, turn=False)
    angle = np.linspace(0, 0.8, len(run.features))
    turned = run.features[[0] * len(angle)].copy()
    # In the plane in which samples spread most, or nothing of it would be seen in two dimensions.
    plane = np.linalg.svd(turned[0] - turned[0].mean(axis=0), full_matrices=False)[2][:2]
    for position, a in enumerate(angle):
        part = turned[position] @ plane.T
        turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
        turned[position] += (part @ turn - part) @ plane
    aligned, raw = (
        fit_temporal_map([turned], run.retained, seed=0, align=align, steps=FEW_STEPS).place(turned)
        for align in (True, False)
    )
    still = np.linalg.norm(aligned[-1] - aligned[0], axis=1)
    moved = np.linalg.norm(raw[-1] - raw[0], axis=1)
    assert still.max() < 0.01 * np.ptp(aligned)
    assert np.median(moved) > 0.1 * np.ptp(raw)


def test_a_raw_map_is_raw_again_after_it_was_stored(unlearning):
    run = unlearning()
    raw = fit_temporal_map([run.features], run.retained, seed=0, align=False, steps=FEW_STEPS)
    again = TemporalMap.from_arrays(raw.arrays())
    assert np.array_equal(again.place(run.features), raw.place(run.features))
    aligned = fit_temporal_map([run.features], run.retained, seed=0, steps=FEW_STEPS)
    assert not np.array_equal(again.place(run.features), aligned.place(run.features))


@pytest.mark.parametrize("align", [True, False])
def test_a_new_image_enters_where_its_equal_would_be_placed(unlearning, align):
    run = unlearning()
    temporal_map = fit_temporal_map(
        [run.features], run.retained, seed=0, align=align, steps=FEW_STEPS
    )
    placed = temporal_map.place(run.features)
    for moment in (0, 4, 8):
        entrance = temporal_map.entrance(run.features[moment])
        alone = temporal_map.place_through(entrance, run.features[moment, 5:8])
        assert np.abs(alone - placed[moment, 5:8]).max() < 1e-3 * np.ptp(placed)


def test_a_map_of_the_original_alone_places_what_comes_later(unlearning):
    run = unlearning()
    live = fit_temporal_map([run.features[:1]], run.retained, seed=0, steps=200)
    fidelity = _measure(run, live.place(run.features))
    assert fidelity.trustworthiness_mean > 0.93
    assert fidelity.movement_correlation > 0.8


def test_the_same_seed_gives_the_same_map_and_another_seed_another(roughly_fitted):
    run, temporal_map = roughly_fitted
    placed = temporal_map.place(run.features)
    again, other = (
        fit_temporal_map([run.features], run.retained, seed=seed, steps=FEW_STEPS)
        for seed in (0, 1)
    )
    assert np.array_equal(placed, again.place(run.features))
    assert not np.array_equal(placed, other.place(run.features))


def test_the_map_starts_as_joint_pca(roughly_fitted):
    run, temporal_map = roughly_fitted
    untrained = fit_temporal_map([run.features], run.retained, seed=0, steps=0)
    start = pca_map([run.features], run.retained).place(run.features)
    assert np.array_equal(untrained.place(run.features), start)
    assert not np.array_equal(temporal_map.place(run.features), start)


def test_the_shared_snapshot_counts_once(unlearning):
    run = unlearning()
    alone = pca_map([run.features], run.retained)
    beside_runs_that_end_at_once = pca_map([run.features, *[run.features[:1]] * 9], run.retained)
    assert np.array_equal(
        alone.place(run.features), beside_runs_that_end_at_once.place(run.features)
    )


def test_stored_arrays_give_the_same_map(roughly_fitted):
    run, temporal_map = roughly_fitted
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **temporal_map.arrays())
    file.seek(0)
    restored = TemporalMap.from_arrays(np.load(file, allow_pickle=False))
    assert np.array_equal(restored.place(run.features), temporal_map.place(run.features))


def test_a_map_is_smaller_than_a_tenth_of_the_features_it_was_made_of(fitted):
    runs, temporal_map = fitted
    stored = sum(array.nbytes for array in temporal_map.arrays().values())
    assert stored < 0.1 * sum(run.features.nbytes for run in runs)


def test_a_stored_map_is_used_without_torch_scipy_umap_or_sklearn(roughly_fitted, tmp_path):
    run, temporal_map = roughly_fitted
    np.savez(tmp_path / "map.npz", allow_pickle=False, **temporal_map.arrays())
    np.save(tmp_path / "features.npy", run.features)
    script = """if True:
        import sys
        import numpy as np
        from pru_demo.projection.temporal_map import TemporalMap, pca_map
        features = np.load(sys.argv[2])
        temporal_map = TemporalMap.from_arrays(np.load(sys.argv[1]))
        assert temporal_map.place(features).shape == (9, 400, 2)
        pca_map([features], temporal_map.reference.retained).place(features)
        print(sorted({"torch", "scipy", "umap", "sklearn"} & set(sys.modules)))
    """
    arguments = [str(tmp_path / "map.npz"), str(tmp_path / "features.npy")]
    finished = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "[]"


def test_fitting_leaves_global_random_state_and_threads_alone(unlearning):
    run = unlearning()
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    threads = torch.get_num_threads()
    fit_temporal_map([run.features], run.retained, seed=0, steps=FEW_STEPS)
    assert torch.equal(torch_state, torch.get_rng_state())
    assert np.array_equal(numpy_state, np.random.get_state()[1])  # noqa: NPY002
    assert torch.get_num_threads() == threads


def test_progress_is_reported_up_to_the_end_and_may_cancel(unlearning):
    run = unlearning()
    shares: list[float] = []
    fit_temporal_map([run.features], run.retained, seed=0, steps=4, report=shares.append)
    assert shares == [0.25, 0.5, 0.75, 1.0]

    def cancel(share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit_temporal_map([run.features], run.retained, seed=0, steps=4, report=cancel)


@pytest.mark.parametrize("collapsed", [slice(None), slice(1, None), slice(3, 5)])
def test_collapsed_features_still_give_a_finite_map(unlearning, collapsed):
    run = unlearning()
    run.features[collapsed] = 0.1
    temporal_map = fit_temporal_map([run.features], run.retained, seed=0, steps=FEW_STEPS)
    assert np.isfinite(temporal_map.place(run.features)).all()
    assert np.isfinite(pca_map([run.features], run.retained).place(run.features)).all()


def test_runs_that_do_not_belong_together_are_refused(unlearning):
    run, other = unlearning(), unlearning(samples=390)
    with pytest.raises(ValueError, match="at least one run"):
        pca_map([], run.retained)
    with pytest.raises(ValueError, match="same original model"):
        pca_map([run.features, run.features[1:]], run.retained)
    with pytest.raises(ValueError, match="one per sample"):
        pca_map([run.features, other.features], run.retained)
    with pytest.raises(ValueError, match="differ in shape"):
        pca_map([run.features, run.features[:, :, :40]], run.retained)


def test_a_diverged_run_is_refused_in_words(unlearning):
    run = unlearning()
    run.features[5, 7, 2] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite values: the model has diverged"):
        fit_temporal_map([run.features], run.retained, seed=0)
