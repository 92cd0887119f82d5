"""The networks that a drawing is shown to, kept warm."""

from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pru_demo.config import RunConfig
from pru_demo.experiment.keys import weights_key
from pru_demo.experiment.record import RunRecord
from pru_demo.ui.shared.services import STORE

if TYPE_CHECKING:
    from pru_demo.models.split import SplitModel


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Import torch, once and in the background, while the visitor is still drawing."""
    Thread(target=import_module, args=("pru_demo.experiment.stored_networks",), daemon=True).start()


def opinion_of(
    record: RunRecord, epoch: int, pixels: NDArray[np.uint8]
) -> NDArray[np.float32] | None:
    """Probabilities (K,) of a run's network after ``epoch`` of relearning; None if not stored."""
    from pru_demo.experiment.stored_networks import opinion

    model = _kept(record, epoch)
    return None if model is None else opinion(model, pixels)


def features_in(
    record: RunRecord, epoch: int, pixels: NDArray[np.uint8]
) -> NDArray[np.float32] | None:
    """Features (d,) of an image in a run's network, likewise."""
    from pru_demo.experiment.stored_networks import features

    model = _kept(record, epoch)
    return None if model is None else features(model, pixels)


def _kept(record: RunRecord, epoch: int) -> "SplitModel | None":
    return _network(weights_key(record.config), epoch, str(record.seconds), record.config)


@st.cache_resource(max_entries=64, show_spinner="Loading the network …")
def _network(key: str, epoch: int, version: str, _config: RunConfig) -> "SplitModel | None":
    from pru_demo.experiment.stored_networks import network

    entry = STORE.get(key)
    return None if entry is None else network(_config.scenario, entry.arrays, epoch)
