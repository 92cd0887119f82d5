"""Maps of every kind; a run keeps its place on them through the store."""

import dataclasses
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from pru_demo.experiment import maps
from pru_demo.experiment.keys import has_own_space
from pru_demo.experiment.maps import (
    KINDS,
    LEAST_MOVEMENT,
    LEAST_TRUST,
    PlacedRun,
    fit,
    fit_live,
    place,
)
from pru_demo.experiment.record import RunResult
from pru_demo.store.entry import Entry, decode, encode
from tests.experiment.conftest import config_of

Fitted = Callable[[str], tuple[Entry, list[float]]]
Placed = Callable[[str], PlacedRun]

# umap-learn compiles for half a minute: its map is tested where it is made.
QUICK = [kind for kind in KINDS if kind != "sharp"]
every_kind = pytest.mark.parametrize("kind", QUICK)


@pytest.fixture(scope="module")
def fitted(results: dict[str, RunResult]) -> Fitted:
    """Fits a map of a kind to PRU and the original, once; also gives what it reported."""

    @cache
    def make(kind: str) -> tuple[Entry, list[float]]:
        shares: list[float] = []
        features = {
            "pru:tuned": results["pru"].features["features"],
            "original": results["original"].features["features"],
        }
        retained = ~results["pru"].record.forgotten
        return fit(kind, features, retained, 7, shares.append), shares

    return make


@pytest.fixture(scope="module")
def placed(results: dict[str, RunResult], fitted: Fitted) -> Placed:
    """PRU's places on the map of a kind."""
    pru = results["pru"]
    return cache(lambda kind: place(kind, fitted(kind)[0], pru.record, pru.features["features"]))


def test_fitting_reports_a_rising_share(fitted: Fitted) -> None:
    _, shares = fitted("time")
    assert shares
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1


@every_kind
def test_a_map_knows_what_it_was_fitted_on_and_can_be_stored(fitted: Fitted, kind: str) -> None:
    entry, _ = fitted(kind)
    assert entry.meta["fitted_on"] == ["original", "pru:tuned"]
    again = decode(encode(entry.meta, entry.arrays))
    assert again.meta == entry.meta
    for name, array in entry.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array, strict=True)


def test_kinds_are_different_maps(fitted: Fitted, placed: Placed) -> None:
    assert len({fitted(kind)[0].meta["id"] for kind in QUICK}) == len(QUICK)
    for one, other in pairwise(QUICK):
        assert not np.array_equal(placed(one).xy, placed(other).xy)


@every_kind
def test_a_run_has_a_place_at_every_moment(placed: Placed, kind: str) -> None:
    found = placed(kind)
    assert found.xy.shape == (7, 60, 2)
    assert found.xy.dtype == np.float16
    assert np.isfinite(found.xy).all()
    assert found.fitted_on == ["original", "pru:tuned"]
    # The original, the unlearned and the first relearned network are kept.
    assert set(found.entrances) == {0, 4, 5}


@every_kind
def test_a_stored_map_places_a_run_as_a_fresh_one_does(
    placed: Placed, fitted: Fitted, results: dict[str, RunResult], kind: str
) -> None:
    entry = fitted(kind)[0]
    stored = decode(encode(entry.meta, entry.arrays))
    again = place(kind, stored, results["pru"].record, results["pru"].features["features"])
    np.testing.assert_array_equal(again.xy, placed(kind).xy)
    assert again.fidelity == placed(kind).fidelity


def test_runs_share_the_place_of_their_common_original(
    placed: Placed, fitted: Fitted, results: dict[str, RunResult]
) -> None:
    later = results["boundary_shrink"]  # not among the runs that the map was fitted on
    other = place("time", fitted("time")[0], later.record, later.features["features"])
    np.testing.assert_allclose(
        other.xy[0].astype(float), placed("time").xy[0].astype(float), rtol=5e-3, atol=5e-3
    )
    assert other.fitted_on == ["original", "pru:tuned"]


@every_kind
def test_places_survive_the_store(placed: Placed, kind: str) -> None:
    found = placed(kind)
    entry = found.to_entry()
    again = PlacedRun.from_entry(decode(encode(entry.meta, entry.arrays)))
    np.testing.assert_array_equal(again.xy, found.xy, strict=True)
    assert (again.fidelity, again.map_id, again.fitted_on) == (
        found.fidelity,
        found.map_id,
        found.fitted_on,
    )
    for at, entrance in found.entrances.items():
        np.testing.assert_array_equal(again.entrances[at].matrix, entrance.matrix)
        np.testing.assert_array_equal(again.entrances[at].offset, entrance.offset)


def test_the_map_to_follow_a_run_on_knows_the_original_only(
    results: dict[str, RunResult],
) -> None:
    pru = results["pru"]
    features = pru.features["features"]
    live = fit_live(features[0], ~pru.record.forgotten, 7)
    assert live.meta["fitted_on"] == ["original"]
    drawn = maps.KINDS["time"].load(live.arrays)
    alone = drawn.place(features[:1].astype(np.float32))
    later = drawn.place(features.astype(np.float32))
    np.testing.assert_array_equal(alone[0], later[0])


def test_a_map_is_doubted_below_the_thresholds_it_states(placed: Placed) -> None:
    found = placed("time")
    good = {"trustworthiness_mean": LEAST_TRUST, "movement_correlation": LEAST_MOVEMENT}
    assert dataclasses.replace(found, fidelity=good).doubts() == []
    nearly = {"trustworthiness_mean": LEAST_TRUST - 4e-4, "movement_correlation": None}
    assert dataclasses.replace(found, fidelity=nearly).doubts() == []
    low = {"trustworthiness_mean": LEAST_TRUST - 0.01, "movement_correlation": None}
    assert dataclasses.replace(found, fidelity=low).doubts() == ["neighbourhoods"]
    still = good | {"movement_correlation": LEAST_MOVEMENT - 0.01}
    assert dataclasses.replace(found, fidelity=still).doubts() == ["movement"]


def test_only_a_network_trained_from_scratch_has_a_space_of_its_own() -> None:
    assert has_own_space(config_of("retrain", "paper"))
    for method in ("pru", "boundary_shrink", "original"):
        assert not has_own_space(config_of(method, "paper"))
