"""An animated map of test samples, one or two methods side by side."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from pru_demo.figures.film_parts import Frame, Panel, Stage
from pru_demo.ui.components.assets import read_component
from pru_demo.ui.components.map_player.movie import Movie, fingerprint
from pru_demo.ui.components.map_player.payload import encode_movie

__all__ = ["Frame", "Panel", "Stage", "map_player"]

_HELPERS = (
    *("movie.js", "morph.js", "emphasis.js", "looks.js", "guest.js", "legend.js", "tails.js"),
    "scene.js",
    *("tooltip.js", "controls.js", "show.js", "time.js", "sheet.js", "picture.js", "listen.js"),
)
_PLAYER = st.components.v2.component(
    "pru_map_player", **read_component(Path(__file__).parent, _HELPERS)
)


def map_player(
    panels: Sequence[Panel],
    frames: Sequence[Frame],
    *,
    true: npt.NDArray[np.integer],
    class_names: Sequence[str],
    forgotten: Collection[int],
    images: npt.NDArray[np.uint8],
    key: str,
    start_frame: int = 0,
    guest_image: npt.NDArray[np.uint8] | None = None,
    guest_label: str = "",
) -> None:
    """Show how the samples move over the map, frame by frame; it starts paused.

    Frame, colouring, filter and tails stay when the script reruns or the visitor comes back from
    another page; a new ``start_frame`` moves the player there.

    Args:
        panels: one method, or two that share time and axes.
        frames: the T moments.
        true: (n,) index of each sample's true class.
        class_names: name of each class.
        forgotten: indices of the forgotten classes, which are outlined and lie on top.
        images: (n, 28, 28) or (n, 32, 32, 3) uint8, shown when a sample is pointed at.
        key: names this player in the app.
        start_frame: the frame shown first.
        guest_image: (H, W) or (H, W, 3) uint8, an image of the visitor's own that is shown at the
            panels' ``guest`` places.
        guest_label: what that image is called, for example "your drawing".

    Raises:
        ValueError: the parts do not fit each other, or ``start_frame`` does not exist.
    """
    if not 0 <= start_frame < len(frames):
        raise ValueError(f"start_frame must be from 0 to {len(frames) - 1}, not {start_frame}.")
    movie = Movie(panels, frames, true, class_names, forgotten, images, guest_image, guest_label)
    digest = fingerprint(movie)
    data = {"key": key, "id": digest, "startFrame": start_frame, "movie": _encoded(digest, movie)}
    _PLAYER(key=key, data=data)


@st.cache_resource(max_entries=16, show_spinner=False)
def _encoded(digest: str, _movie: Movie) -> dict[str, Any]:
    """Encode each movie once for all sessions; Streamlit ignores ``_movie`` when it compares."""
    return encode_movie(_movie)
