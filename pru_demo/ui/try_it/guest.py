"""An image of the visitor's own that is carried from Try it to the maps."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pru_demo.experiment.maps import PlacedRun
from pru_demo.experiment.record import RunRecord
from pru_demo.ui.shared.records import map_of
from pru_demo.ui.try_it.networks import features_in

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
    """Carry ``guest`` along for the session, or nobody."""
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
