"""What the pages read from the store, each decoded once per process."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pru_demo.config import RunConfig
from pru_demo.experiment.keys import (
    classic_key,
    features_key,
    map_key,
    perceived_key,
    placed_key,
    run_key,
)
from pru_demo.experiment.maps import PlacedRun
from pru_demo.experiment.perceived import Perceived
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.feature_space import PerceivedRun
from pru_demo.projection.temporal_map import TemporalMap
from pru_demo.ui.shared.services import STORE


def record_of(config: RunConfig) -> RunRecord | None:
    """The record of a run, or None if it has not been computed."""
    # The record itself is cached by what it says of its making: a run computed anew replaces it.
    meta = STORE.meta(run_key(config))
    return None if meta is None else _record(config, str(meta["seconds"]))


def placed_of(config: RunConfig, kind: str) -> PlacedRun | None:
    """The run's places on the map of its scenario, or None if it is not on the map there is now."""
    meta, drawn = STORE.meta(placed_key(config, kind)), STORE.meta(map_key(config, kind))
    if meta is None or drawn is None or meta["map_id"] != drawn["id"]:
        return None
    return _placed(placed_key(config, kind), str(meta))


def map_of(config: RunConfig, kind: str) -> TemporalMap | None:
    """The map that ``config`` is placed on, of a kind that lets new images in; None: not drawn."""
    entry = STORE.get(map_key(config, kind))
    return None if entry is None else TemporalMap.from_arrays(entry.arrays)


def perceived_of(config: RunConfig) -> Perceived | None:
    """What the run's features say, or None if it has not been computed."""
    meta = STORE.meta(perceived_key(config))
    return None if meta is None else _perceived(perceived_key(config), str(meta))


def perceived_runs(configs: Iterable[RunConfig]) -> list[PerceivedRun]:
    """The runs of which both the record and what their features say are stored."""
    found = [(record_of(config), perceived_of(config)) for config in configs]
    return [PerceivedRun(r, p) for r, p in found if r is not None and p is not None]


def classic_of(config: RunConfig, snapshot: int) -> NDArray[Any] | None:
    """umap-learn's picture (n, 2) of a snapshot, or None if it has not been drawn."""
    entry = STORE.get(classic_key(config))
    return None if entry is None else entry.arrays.get(str(snapshot))


def features_of(config: RunConfig) -> NDArray[Any] | None:
    """Features (T, n, d) of the shown samples, or None: bundled records come without."""
    entry = STORE.get(features_key(config))
    return None if entry is None else entry.arrays["features"].astype(np.float32)


@st.cache_resource(max_entries=64, show_spinner=False)
def _record(config: RunConfig, version: str) -> RunRecord | None:
    entry = STORE.get(run_key(config))
    return None if entry is None else RunRecord.from_entry(entry, config)


@st.cache_resource(max_entries=64, show_spinner=False)
def _perceived(key: str, version: str) -> Perceived | None:
    entry = STORE.get(key)
    return None if entry is None else Perceived.from_entry(entry)


@st.cache_resource(max_entries=32, show_spinner=False)
def _placed(key: str, version: str) -> PlacedRun | None:
    entry = STORE.get(key)
    return None if entry is None else PlacedRun.from_entry(entry)
