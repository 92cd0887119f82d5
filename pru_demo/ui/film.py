"""Records and places on a map, as the film that the player shows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pru_demo.data import DATASETS
from pru_demo.figures.movie import frames_of, hint, label, moments
from pru_demo.figures.naming import pick_name, stroke_of
from pru_demo.runs.record import RunRecord
from pru_demo.ui.components.map_player import Frame, Panel, map_player

# Pictures beside the pointer are 64 CSS pixels wide.
_THUMBNAIL = 64


def show_film(
    records: Sequence[RunRecord],
    places: Sequence[NDArray[Any]],
    moved: Sequence[NDArray[Any]],
    images: NDArray[np.uint8],
) -> None:
    """Play runs side by side: places (T, n, 2) and displacements (T, n) of each.

    ``images`` (N, C, H, W) is the test part that the records' samples are taken from, as
    :func:`pru_demo.ui.images.sample_images` gives it.
    """
    film = moments(records)
    panels = []
    for record, xy, far in zip(records, places, moved, strict=True):
        chosen = frames_of(record, film)
        panels.append(
            Panel(
                pick_name(record.config.pick),
                stroke_of(record.config.pick).color,
                xy[chosen].astype(np.float32),
                record.arrays["predicted"][chosen],
                record.arrays["p_f"][chosen].astype(np.float32),
                far[chosen].astype(np.float32),
            )
        )
    scenario = records[0].config.scenario
    map_player(
        panels,
        [Frame(label(m), m[0], hint(m)) for m in film],  # type: ignore[arg-type]
        true=records[0].arrays["labels"],
        class_names=DATASETS[scenario.dataset].class_names,
        forgotten=scenario.forget,
        images=_thumbnails(images[records[0].arrays["shown"]]),
        key="film",
    )


def _thumbnails(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, C, H, W) → (n, h, w) ink or (n, h, w, 3) pictures; large ones as means of blocks."""
    count, channels, height, width = images.shape
    block = -(-max(height, width) // _THUMBNAIL)
    if block > 1:
        rows, columns = height // block, width // block
        images = images[:, :, : rows * block, : columns * block]
        images = images.reshape(count, channels, rows, block, columns, block)
        images = images.mean(axis=(3, 5)).astype(np.uint8)
    return images[:, 0] if channels == 1 else np.moveaxis(images, 1, 3)
