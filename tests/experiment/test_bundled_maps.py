"""How true the shipped maps are, on the real features of the networks that ship beside them."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pru_demo.cli.precompute import BUNDLED, shipped_runs
from pru_demo.config import Pick, RunConfig
from pru_demo.data import read_part
from pru_demo.data.samples import as_input
from pru_demo.experiment.keys import has_own_space, placed_key, run_key, weights_key
from pru_demo.experiment.maps import PlacedRun
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.stored_networks import stored_network
from pru_demo.paths import RECORDS
from pru_demo.projection.fidelity import map_fidelity, trustworthiness
from pru_demo.projection.temporal_map import fit_temporal_map
from pru_demo.store.bundle import MANIFEST, Bundle

pytestmark = pytest.mark.skipif(not (RECORDS / MANIFEST).exists(), reason="not made yet")

BUNDLE = Bundle(RECORDS)
RUNS = [run for scenario in BUNDLED for run in shipped_runs(scenario)]


def placed(run: RunConfig, kind: str) -> PlacedRun:
    entry = BUNDLE.get(placed_key(run, kind))
    assert entry is not None
    return PlacedRun.from_entry(entry)


@pytest.mark.parametrize("run", RUNS, ids=lambda r: f"{r.scenario.preset}-{r.pick}")
def test_every_shipped_map_over_time_may_be_read(run: RunConfig) -> None:
    found = placed(run, "time")
    trust, motion = (
        found.fidelity[name] for name in ("trustworthiness_mean", "movement_correlation")
    )
    assert trust is not None
    assert motion is not None
    assert trust > 0.95
    assert motion > 0.7
    assert found.doubts() == []


def test_the_plane_is_truer_in_movement_and_the_map_in_neighbourhoods() -> None:
    for run in RUNS:
        if not has_own_space(run):
            plane, bent = placed(run, "pca").fidelity, placed(run, "time").fidelity
            assert bent["trustworthiness_mean"] > plane["trustworthiness_mean"]  # type: ignore[operator]


def features_of(run: RunConfig, record: RunRecord, epoch: int) -> NDArray[np.float32]:
    """Of the shown samples, from the network that ships: relearned for so many epochs."""
    weights = BUNDLE.get(weights_key(run))
    assert weights is not None
    network = stored_network(run.scenario, weights.arrays, epoch)
    images = torch.from_numpy(read_part("mnist", "test")[0][record.arrays["shown"]])
    with torch.inference_mode():
        found: NDArray[np.float32] = network.features(as_input(images)).numpy()
    return found


def record_of(run: RunConfig) -> RunRecord:
    entry = BUNDLE.get(run_key(run))
    assert entry is not None
    return RunRecord.from_entry(entry)


@pytest.mark.parametrize("method", ["pru", "boundary_shrink"])
@pytest.mark.parametrize(("kind", "least"), [("time", 0.95), ("raw", 0.94), ("sharp", 0.93)])
def test_neighbours_are_those_of_the_networks_that_ship(
    method: str, kind: str, least: float
) -> None:
    run = RunConfig(BUNDLED[0], Pick(method, "tuned"))
    record = record_of(run)
    for epoch in (0, 10):
        where = placed(run, kind).xy[record.kept()[epoch]].astype(np.float32)
        assert trustworthiness(features_of(run, record, epoch), where) > least


@pytest.mark.slow
def test_a_map_fitted_now_to_the_networks_that_ship_may_be_read() -> None:
    original = RunConfig(BUNDLED[0], Pick("original", "paper"))
    runs = [RunConfig(BUNDLED[0], Pick(method, "tuned")) for method in ("pru", "boundary_shrink")]
    records = [record_of(run) for run in runs]
    retained, labels = ~records[0].forgotten, records[0].arrays["labels"]
    first = features_of(original, records[0], 0)
    features = [
        np.stack([first, *(features_of(run, record, epoch) for epoch in record.kept())])
        for run, record in zip(runs, records, strict=True)
    ]
    drawn = fit_temporal_map(features, retained, seed=7)
    for e in features:
        fidelity = map_fidelity(e, drawn.place(e), labels, retained)
        assert fidelity.trustworthiness_mean > 0.96
        assert fidelity.movement_correlation is not None
        assert fidelity.movement_correlation > 0.8
