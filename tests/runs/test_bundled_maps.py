"""How true the shipped maps are, on the real features of the networks that ship beside them."""

import numpy as np
import pytest
import torch

from pru_demo.config import Pick, RunConfig
from pru_demo.data import read_part
from pru_demo.data.dataset import as_input
from pru_demo.paths import RECORDS
from pru_demo.precompute import BUNDLED, runs_of
from pru_demo.projection.fidelity import trustworthiness
from pru_demo.runs.bundle import MANIFEST, Bundle
from pru_demo.runs.maps import PlacedRun, has_own_space, placed_key
from pru_demo.runs.networks import stored_network
from pru_demo.runs.record import RunRecord, run_key, weights_key

pytestmark = pytest.mark.skipif(not (RECORDS / MANIFEST).exists(), reason="not made yet")

BUNDLE = Bundle(RECORDS)
RUNS = [run for scenario in BUNDLED for run in runs_of(scenario)]


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
    assert motion > 0.65
    assert found.doubts() == []


def test_the_plane_is_truer_in_movement_and_the_map_in_neighbourhoods() -> None:
    for run in RUNS:
        if not has_own_space(run):
            plane, bent = placed(run, "pca").fidelity, placed(run, "time").fidelity
            assert bent["trustworthiness_mean"] > plane["trustworthiness_mean"]  # type: ignore[operator]


@pytest.mark.parametrize("method", ["pru", "boundary_shrink"])
@pytest.mark.parametrize(("kind", "least"), [("time", 0.95), ("raw", 0.94), ("sharp", 0.93)])
def test_neighbours_are_those_of_the_networks_that_ship(
    method: str, kind: str, least: float
) -> None:
    run = RunConfig(BUNDLED[0], Pick(method, "tuned"))
    entry, weights = BUNDLE.get(run_key(run)), BUNDLE.get(weights_key(run))
    assert entry is not None
    assert weights is not None
    record = RunRecord.from_entry(entry)
    images = torch.from_numpy(read_part("mnist", "test")[0][record.arrays["shown"]])
    for epoch in (0, 10):
        network = stored_network(run.scenario, weights.arrays, epoch)
        with torch.inference_mode():
            features = network.features(as_input(images)).numpy()
        where = placed(run, kind).xy[record.kept()[epoch]].astype(np.float32)
        assert trustworthiness(features, where) > least
