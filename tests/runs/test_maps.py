"""One map per scenario; a run keeps its place on it through the store."""

import dataclasses

import numpy as np
import pytest

from pru_demo.runs import maps
from pru_demo.runs.maps import PlacedRun, fit, has_own_space, place
from pru_demo.runs.pipeline import RunResult
from pru_demo.runs.record import shown_forgotten
from pru_demo.runs.tensorfile import Entry, decode, encode
from tests.runs.conftest import config_of

ASKED: list[tuple[tuple[int, ...], int]] = []


def drawn(features: np.ndarray, *, seed: int) -> np.ndarray:
    """In place of umap-learn, which compiles for half a minute."""
    ASKED.append((features.shape, seed))
    return features[:, :2].astype(np.float32)


@pytest.fixture(scope="module")
def fitted(results: dict[str, RunResult]) -> tuple[Entry, list[float]]:
    shares: list[float] = []
    features = {"pru:tuned": results["pru"].features, "original": results["original"].features}
    retained = ~shown_forgotten(results["pru"].record)
    return fit(features, retained, 7, shares.append), shares


@pytest.fixture(scope="module")
def placed(results: dict[str, RunResult], fitted: tuple[Entry, list[float]]) -> PlacedRun:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps, "classic_umap", drawn)
        ASKED.clear()
        return place(fitted[0], results["pru"].record, results["pru"].features)


def test_fitting_reports_a_rising_share(fitted: tuple[Entry, list[float]]) -> None:
    _, shares = fitted
    assert shares
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1


def test_map_knows_what_it_was_fitted_on_and_can_be_stored(
    fitted: tuple[Entry, list[float]],
) -> None:
    entry, _ = fitted
    assert entry.meta == {"fitted_on": ["original", "pru:tuned"]}
    again = decode(encode(entry.meta, entry.arrays))
    assert again.meta == entry.meta
    for name, array in entry.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array, strict=True)


def test_a_run_has_a_place_at_every_moment(placed: PlacedRun) -> None:
    assert placed.xy.shape == placed.pca.shape == (7, 60, 2)
    assert placed.moved.shape == (7, 60)
    assert placed.classic.shape == (3, 60, 2)
    for name in ("xy", "pca", "moved", "classic"):
        array = getattr(placed, name)
        assert array.dtype == np.float16, name
        assert np.isfinite(array).all(), name
    assert (placed.moved[0] == 0).all()
    assert placed.fitted_on == ["original", "pru:tuned"]


def test_the_classic_picture_is_of_original_unlearned_and_relearned(
    placed: PlacedRun, results: dict[str, RunResult]
) -> None:
    assert ASKED == [((60, 48), 7)] * 3
    features = results["pru"].features
    for picture, moment in zip(
        placed.classic, (0, results["pru"].record.unlearned, 6), strict=True
    ):
        np.testing.assert_array_equal(picture, features[moment][:, :2])


def test_a_stored_map_places_a_run_as_a_fresh_one_does(
    placed: PlacedRun,
    fitted: tuple[Entry, list[float]],
    results: dict[str, RunResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(maps, "classic_umap", drawn)
    stored = decode(encode(fitted[0].meta, fitted[0].arrays))
    again = place(stored, results["pru"].record, results["pru"].features)
    np.testing.assert_array_equal(again.xy, placed.xy)
    assert again.fidelity == placed.fidelity


def test_runs_share_the_place_of_their_common_original(
    placed: PlacedRun,
    fitted: tuple[Entry, list[float]],
    results: dict[str, RunResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(maps, "classic_umap", drawn)
    later = results["boundary_shrink"]  # not among the runs that the map was fitted on
    other = place(fitted[0], later.record, later.features)
    np.testing.assert_allclose(
        other.xy[0].astype(float), placed.xy[0].astype(float), rtol=5e-3, atol=5e-3
    )
    assert other.fitted_on == ["original", "pru:tuned"]


def test_places_survive_the_store(placed: PlacedRun) -> None:
    entry = placed.to_entry()
    again = PlacedRun.from_entry(decode(encode(entry.meta, entry.arrays)))
    for each in dataclasses.fields(PlacedRun):
        one, other = getattr(placed, each.name), getattr(again, each.name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, strict=True)
        else:
            assert one == other


def test_only_a_network_trained_from_scratch_has_a_space_of_its_own() -> None:
    assert has_own_space(config_of("retrain", "paper"))
    for method in ("pru", "boundary_shrink", "original"):
        assert not has_own_space(config_of(method, "paper"))
