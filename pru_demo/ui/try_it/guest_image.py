"""An image of the visitor's own: what every network says of it, and where it lies on the maps."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pru_demo.config import RunConfig
from pru_demo.experiment.keys import weights_key
from pru_demo.experiment.maps import PlacedRun
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.naming import pick_name
from pru_demo.ui.shared.records import map_of
from pru_demo.ui.shared.services import STORE

if TYPE_CHECKING:
    from pru_demo.models.split import SplitModel

_SESSION = "guest"
# Where the image came from, in the words of whoever looks at it.
LABELS = {"drawn": "your drawing", "uploaded": "your picture", "sample": "your pick"}


@dataclass(frozen=True, eq=False)
class Guest:
    """``pixels`` (H, W) or (3, H, W) uint8 as the networks of ``dataset`` see it."""

    pixels: NDArray[np.uint8]
    label: str
    dataset: str


def keep_guest(guest: Guest | None) -> None:
    """Carry ``guest`` along to the maps for the session, or nobody."""
    st.session_state[_SESSION] = guest


def guest_for(dataset: str) -> Guest | None:
    """The image carried along, if it is one that the networks of ``dataset`` can see."""
    guest: Guest | None = st.session_state.get(_SESSION)
    return guest if guest is not None and guest.dataset == dataset else None


def guest_places(
    guest: Guest, record: RunRecord, placed: PlacedRun, kind: str, original: RunRecord | None
) -> NDArray[np.floating] | None:
    """Places (T, 2) of ``guest`` on a map, NaN where no network is kept; None: on no such map.

    ``original`` is the record of the original network, from which every run starts.
    """
    drawn = map_of(record.config, kind) if placed.entrances else None
    if drawn is None:
        return None
    places = np.full((len(record.snapshots), 2), np.nan)
    networks = [(record, epoch, at) for epoch, at in record.kept().items()]
    if original is not None:
        networks.append((original, 0, 0))
    for of, epoch, at in networks:
        e = features_in(of, epoch, guest.pixels)
        if e is not None and at in placed.entrances:
            places[at] = drawn.place_through(placed.entrances[at], e[np.newaxis])[0]
    return places


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Import torch, once and in the background, while the visitor is still drawing."""
    Thread(target=import_module, args=("pru_demo.experiment.stored_networks",), daemon=True).start()


def opinions_of(
    networks: Iterable[tuple[RunRecord, int]], pixels: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """Probabilities (K,) of the networks after so many epochs of relearning, of those that are
    stored, by what each is called."""
    from pru_demo.experiment.stored_networks import opinion

    opinions = {}
    for record, epoch in networks:
        if (model := _kept(record, epoch)) is not None:
            relearned = f", relearned {epoch}" if epoch else ""
            opinions[f"{pick_name(record.config.pick)}{relearned}"] = opinion(model, pixels)
    return opinions


def features_in(
    record: RunRecord, epoch: int, pixels: NDArray[np.uint8]
) -> NDArray[np.float32] | None:
    """Features (d,) of an image in a run's network; None if that is not stored."""
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
