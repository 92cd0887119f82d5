"""Runs of tests need not stop for the map on which pages follow them: fitting it takes longer."""

from pathlib import Path

from pru_demo.config import RunConfig, Scenario
from pru_demo.experiment.keys import map_key
from pru_demo.experiment.maps import LIVE
from pru_demo.links import View
from pru_demo.paths import RECORDS
from pru_demo.store import Store
from pru_demo.store.bundle import Bundle


def put_live_maps(directory: Path, *scenarios: Scenario) -> None:
    """Store a map, one that ships, for the runs of ``scenarios`` in the store of ``directory``."""
    shipped = View().runs()["A"]
    entry = Bundle(RECORDS).get(map_key(shipped, "time"))
    assert entry is not None
    store = Store(directory)
    for scenario in scenarios:
        store.put(map_key(RunConfig(scenario, shipped.pick), LIVE), entry.meta, entry.arrays)
    store.close()
