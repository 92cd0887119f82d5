"""What the map player shows, and its compact form for the browser.

Coordinates become 16-bit steps over the box that all panels share, stored as differences from
frame to frame (small numbers compress well); beliefs and displacements become 8 bits. 1,500
samples in 21 frames and two panels then take about half a megabyte, pictures included.
"""

import base64
import hashlib
import io
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from pru_demo.figures.palette import class_color

Stage: TypeAlias = Literal["original", "unlearn", "relearn"]
Floats: TypeAlias = npt.NDArray[np.floating]
Bytes: TypeAlias = npt.NDArray[np.uint8]

_SPRITE_COLUMNS = 40
# At least one distance between class centres is on the colour scale, or noise would look dramatic.
_LEAST_MOVED_TOP = 1.0


@dataclass(frozen=True, eq=False)
class Panel:
    """One method's map: T frames of the same n samples.

    Attributes:
        title: name of the method.
        color: its colour, ``#rrggbb``.
        xy: (T, n, 2) places on the map, in map units shared by all panels.
        predicted: (T, n) uint8, index of the predicted class.
        p_f: (T, n) from 0 to 1, probability given to the forgotten classes.
        moved: (T, n) >= 0, displacement in feature space since frame 0, in units of the mean
            distance between class centres.
    """

    title: str
    color: str
    xy: Floats
    predicted: Bytes
    p_f: Floats
    moved: Floats


@dataclass(frozen=True)
class Frame:
    """A moment: its name ("Epoch 3 · E step"), its stage, one sentence on what happens in it."""

    label: str
    stage: Stage
    hint: str


@dataclass(frozen=True, eq=False)
class Movie:
    """All that the player shows.

    Attributes:
        panels: one or two.
        frames: T moments.
        true: (n,) index of each sample's true class.
        class_names: name of each class.
        forgotten: indices of the forgotten classes.
        images: (n, H, W) grey or (n, H, W, 3) colour, uint8.
    """

    panels: Sequence[Panel]
    frames: Sequence[Frame]
    true: npt.NDArray[np.integer]
    class_names: Sequence[str]
    forgotten: Collection[int]
    images: Bytes

    def __post_init__(self) -> None:
        """Raise ValueError, with a sentence, if the parts do not fit each other."""
        if not 1 <= len(self.panels) <= 2:
            raise ValueError(f"The map player shows one or two panels, not {len(self.panels)}.")
        steps, samples, classes = len(self.frames), len(self.true), len(self.class_names)
        if not steps or not samples:
            raise ValueError("The map player needs at least one frame and one sample.")
        if len(self.images) != samples or self.images.dtype != np.uint8:
            raise ValueError(f"The images must be uint8, one for each of {samples} samples.")
        indices = [*self.forgotten, int(self.true.min()), int(self.true.max())]
        if min(indices) < 0 or max(indices) >= classes:
            raise ValueError(f"Class indices must be below {classes}, the number of class names.")
        for panel in self.panels:
            _check_panel(panel, steps, samples, classes)


def _check_panel(panel: Panel, steps: int, samples: int, classes: int) -> None:
    shapes = {"xy": (steps, samples, 2)} | dict.fromkeys(
        ("predicted", "p_f", "moved"), (steps, samples)
    )
    for name, shape in shapes.items():
        values = getattr(panel, name)
        if values.shape != shape:
            raise ValueError(f"{panel.title}: {name} must have shape {shape}, not {values.shape}.")
        if not np.isfinite(values).all():
            raise ValueError(f"{panel.title}: {name} must be finite everywhere.")
    if panel.predicted.max() >= classes:
        raise ValueError(f"{panel.title}: predicted names a class that does not exist.")


def encode_movie(movie: Movie) -> dict[str, Any]:
    """The movie as JSON-able data; arrays are deflated and in base64."""
    xy = np.concatenate([panel.xy.reshape(-1, 2) for panel in movie.panels])
    low, high = xy.min(axis=0), xy.max(axis=0)
    moved_top = max(
        _LEAST_MOVED_TOP, *(float(np.quantile(panel.moved, 0.99)) for panel in movie.panels)
    )
    return {
        "samples": len(movie.true),
        "frames": [vars(frame) for frame in movie.frames],
        "classes": [
            {"name": name, "color": class_color(index), "forgotten": index in movie.forgotten}
            for index, name in enumerate(movie.class_names)
        ],
        "true": _packed(movie.true.astype(np.uint8)),
        # Width and height of the map: the player draws both axes to one scale.
        "extent": [float(side) for side in high - low],
        "movedTop": moved_top,
        "panels": [_encode_panel(panel, low, high, moved_top) for panel in movie.panels],
        "sprite": _encode_sprite(movie.images),
    }


def _encode_panel(panel: Panel, low: Floats, high: Floats, moved_top: float) -> dict[str, str]:
    span = np.where(high > low, high - low, 1.0)
    steps = np.round((panel.xy - low) / span * 65535).astype(np.uint16)
    # uint16 differences wrap around, and so does the running sum that undoes them in the browser.
    changes = np.diff(steps, axis=0, prepend=np.zeros_like(steps[:1]))
    return {
        "title": panel.title,
        "color": panel.color,
        # (axis, frame, sample), low bytes before high bytes: the high ones are nearly all equal.
        "xy": _packed(np.moveaxis(changes, 2, 0).astype("<u2").reshape(-1, 1).view(np.uint8).T),
        "predicted": _packed(panel.predicted),
        "pf": _packed(_eight_bits(panel.p_f)),
        "moved": _packed(_eight_bits(panel.moved / moved_top)),
    }


def _eight_bits(fraction: Floats) -> Bytes:
    return np.round(np.clip(fraction, 0, 1) * 255).astype(np.uint8)


def _packed(values: Bytes) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes())).decode()


def _encode_sprite(images: Bytes) -> dict[str, Any]:
    """All samples in one picture, row by row: grey as PNG of 16 shades, colour as WebP."""
    samples, height, width = images.shape[:3]
    rows = -(-samples // _SPRITE_COLUMNS)
    sheet = np.zeros((rows * _SPRITE_COLUMNS, *images.shape[1:]), np.uint8)
    sheet[:samples] = images
    sheet = sheet.reshape(rows, _SPRITE_COLUMNS, *images.shape[1:]).swapaxes(1, 2)
    sheet = sheet.reshape(rows * height, _SPRITE_COLUMNS * width, *images.shape[3:])
    file, is_grey = io.BytesIO(), images.ndim == 3
    if is_grey:
        shades = Image.fromarray(np.round(sheet / 17).astype(np.uint8), "P")
        shades.putpalette([shade * 17 for shade in range(16) for _ in "rgb"])
        shades.save(file, "PNG", bits=4, optimize=True)
    else:
        Image.fromarray(sheet).save(file, "WEBP", quality=50, method=6)
    kind = "png" if is_grey else "webp"
    return {
        "uri": f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}",
        "columns": _SPRITE_COLUMNS,
        "width": width,
        "height": height,
        "grey": is_grey,
    }


def fingerprint(movie: Movie) -> str:
    """Equal for movies of equal content, in hexadecimal; much cheaper than encoding one."""
    digest = hashlib.blake2b(digest_size=16)
    texts = (movie.frames, movie.class_names, sorted(movie.forgotten))
    digest.update(repr([*texts, *((panel.title, panel.color) for panel in movie.panels)]).encode())
    arrays: list[npt.NDArray[Any]] = [movie.true, movie.images]
    for panel in movie.panels:
        arrays += [panel.xy, panel.predicted, panel.p_f, panel.moved]
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
