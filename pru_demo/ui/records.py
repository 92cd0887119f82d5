"""What the pages read from the store, each decoded once per process."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pru_demo.config import RunConfig
from pru_demo.runs.maps import PlacedRun, placed_key
from pru_demo.runs.record import RunRecord, features_key, run_key
from pru_demo.ui.services import STORE


def record_of(config: RunConfig) -> RunRecord | None:
    """The record of a run, or None if it has not been computed."""
    # The record itself is cached by what it says of its making: a run computed anew replaces it.
    meta = STORE.meta(run_key(config))
    return None if meta is None else _record(run_key(config), str(meta["seconds"]))


def placed_of(config: RunConfig) -> PlacedRun | None:
    """The run's places on the map of its scenario, or None if it has not been drawn."""
    meta = STORE.meta(placed_key(config))
    return None if meta is None else _placed(placed_key(config), str(meta))


def features_of(config: RunConfig) -> NDArray[Any] | None:
    """Features (T, n, d) of the shown samples, or None: bundled records come without."""
    entry = STORE.get(features_key(config))
    return None if entry is None else entry.arrays["features"].astype(np.float32)


@st.cache_resource(max_entries=64, show_spinner=False)
def _record(key: str, version: str) -> RunRecord | None:
    entry = STORE.get(key)
    return None if entry is None else RunRecord.from_entry(entry)


@st.cache_resource(max_entries=16, show_spinner=False)
def _placed(key: str, version: str) -> PlacedRun | None:
    entry = STORE.get(key)
    return None if entry is None else PlacedRun.from_entry(entry)
