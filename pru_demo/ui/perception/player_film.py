"""Records and places on a map, as the film that the player shows and the page exports."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pru_demo.data import DATASETS
from pru_demo.experiment.keys import has_own_space
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.dot_maps import film_figure, film_html
from pru_demo.figures.film import Frame, Panel, frames_of, hint, moments
from pru_demo.figures.naming import pick_name, stroke_of
from pru_demo.ui.components.map_player.movie import Movie
from pru_demo.ui.shared.images import sample_images
from pru_demo.ui.try_it.guest_image import Guest

# Pictures beside the pointer are 64 CSS pixels wide.
_THUMBNAIL = 64
OWN_MAP = "On a map of its own: compare groups, not places."


@dataclass(frozen=True)
class Shown:
    """A run on a map: places ``xy`` (T, n, 2), displacements ``moved`` (T, n), and the places
    ``guest`` (T, 2) of an image of the visitor's, NaN where its network is not kept."""

    record: RunRecord
    xy: NDArray[Any]
    moved: NDArray[Any]
    guest: NDArray[Any] | None = None


def movie_of(shown: Sequence[Shown], guest: Guest | None = None) -> Movie:
    """One or two runs of a scenario side by side; ``guest`` is the image whose places they have."""
    records = [each.record for each in shown]
    record, scenario, film = records[0], records[0].config.scenario, moments(records)
    # (H, W) or (3, H, W), as one of a few.
    pixels = None if guest is None else guest.pixels.reshape(1, -1, *guest.pixels.shape[-2:])
    return Movie(
        panels=[_panel(each, frames_of(each.record, film)) for each in shown],
        frames=[Frame(m.label, m.stage, hint(m, records)) for m in film],
        true=record.arrays["labels"],
        class_names=DATASETS[scenario.dataset].class_names,
        forgotten=scenario.forget,
        images=_thumbnails(sample_images(scenario.dataset)[record.arrays["shown"]]),
        guest_image=None if pixels is None else _thumbnails(pixels)[0],
        guest_label="" if guest is None else guest.label,
    )


def film_file(shown: Sequence[Shown]) -> str:
    """The film as a page of its own, in HTML."""
    film = movie_of([replace(each, guest=None) for each in shown])  # Plotly's film has no guest
    return film_html(
        film_figure(film.panels, film.frames, film.true, film.class_names, film.forgotten)
    )


def _panel(shown: Shown, chosen: list[int]) -> Panel:
    record, arrays = shown.record, shown.record.arrays
    return Panel(
        pick_name(record.config.pick),
        stroke_of(record.config.pick).color,
        xy=shown.xy[chosen].astype(np.float32),
        top=arrays["top"][chosen],
        p_top=arrays["p_top"][chosen].astype(np.float32),
        p_f=arrays["p_f"][chosen].astype(np.float32),
        moved=shown.moved[chosen].astype(np.float32),
        note=OWN_MAP if has_own_space(record.config) else "",
        guest=None if shown.guest is None else shown.guest[chosen].astype(np.float32),
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
