"""An animated map of test samples, one or two methods side by side."""

from pathlib import Path
from typing import Any

import streamlit as st

from pru_demo.ui.components import read_component
from pru_demo.ui.components.map_player.movie import Movie, fingerprint
from pru_demo.ui.components.map_player.payload import encode_movie

_HELPERS = (
    *("movie.js", "morph.js", "emphasis.js", "looks.js", "guest.js", "legend.js", "tails.js"),
    "scene.js",
    *("tooltip.js", "controls.js", "show.js", "time.js", "sheet.js", "picture.js", "listen.js"),
)
_PLAYER = st.components.v2.component(
    "pru_map_player", **read_component(Path(__file__).parent, _HELPERS)
)


def map_player(movie: Movie, *, key: str, start_frame: int = 0) -> None:
    """Show how the samples move over the map, frame by frame; it starts paused.

    Frame, colouring, filter and tails stay when the script reruns or the visitor comes back from
    another page; a new ``start_frame`` moves the player there.

    Args:
        movie: what is shown; forgotten classes are outlined and lie on top.
        key: names this player in the app.
        start_frame: the frame shown first.

    Raises:
        ValueError: ``start_frame`` does not exist.
    """
    if not 0 <= start_frame < len(movie.frames):
        last = len(movie.frames) - 1
        raise ValueError(f"start_frame must be from 0 to {last}, not {start_frame}.")
    digest = fingerprint(movie)
    data = {"key": key, "id": digest, "startFrame": start_frame, "movie": _encoded(digest, movie)}
    _PLAYER(key=key, data=data)


@st.cache_resource(max_entries=16, show_spinner=False)
def _encoded(digest: str, _movie: Movie) -> dict[str, Any]:
    """Encode each movie once for all sessions; Streamlit ignores ``_movie`` when it compares."""
    return encode_movie(_movie)
