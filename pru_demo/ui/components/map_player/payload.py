"""The compact form in which a movie travels to the browser.

Coordinates become steps over the box that all panels share and displacements 8 bits, both stored
as differences from frame to frame (small numbers compress well); beliefs become 8 bits, and the
three highest probabilities the whole percents that are shown of them.
"""

import base64
import io
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pru_demo.evaluation.distances import class_distance
from pru_demo.figures.film import Bytes, Floats, Panel, bounds
from pru_demo.figures.palette import class_color
from pru_demo.ui.components.map_player.movie import Movie

# At least one distance between class centres is on the colour scale, or noise would look dramatic.
_LEAST_MOVED_TOP = 1.0
# Of the map's sides: about as fine as the pixels of a panel, and known to movie.js as well.
_STEPS = 2047
# Images in a row of the sprite.
_COLUMNS = 40


def encode_movie(movie: Movie) -> dict[str, Any]:
    """The movie as JSON-able data; arrays are deflated and in base64."""
    low, high = bounds(movie.panels)
    moved = [panel.moved for panel in movie.panels]
    moved_top = max(_LEAST_MOVED_TOP, *(float(np.quantile(each, 0.99)) for each in moved))
    moved_most = max(moved_top, *(float(each.max()) for each in moved))
    kept = ~np.isin(movie.true, list(movie.forgotten))
    image = movie.guest_image
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
        # The end of the colour scale, and what a displacement of 255 stands for: tails are true.
        "movedTop": moved_top,
        "movedMost": moved_most,
        "panels": [
            {
                **_encode_panel(panel, low, high, moved_most),
                # On the map what the unit of ``moved`` is in feature space; 0: there is none.
                "unit": class_distance(panel.xy[0][kept], movie.true[kept]) or 0.0,
            }
            for panel in movie.panels
        ],
        "sprite": _sprite(movie.images),
        "guest": None if image is None else _encode_image(image) | {"label": movie.guest_label},
    }


def _encode_panel(panel: Panel, low: Floats, high: Floats, moved_most: float) -> dict[str, Any]:
    changes = _changes(_steps(panel.xy, low, high).astype(np.int16))
    # 0, -1, 1, -2 … become 0, 1, 2, 3 …, so that the high bytes of small changes are all 0.
    folded = (changes << 1) ^ (changes >> 15)
    moved = _eight_bits(panel.moved / moved_most)
    percent = np.round(np.clip(panel.p_top, 0, 1) * 100).astype(np.uint8)
    # Which class had no percent at all is noise, and takes bytes. The first one is the prediction.
    named = np.where(percent > 0, panel.top, 0)
    named[:, :, 0] = panel.top[:, :, 0]
    return {
        "title": panel.title,
        "color": panel.color,
        "note": panel.note,
        # (axis, frame, sample), low bytes before high bytes.
        "xy": _packed(np.moveaxis(folded, 2, 0).astype("<u2").reshape(-1, 1).view(np.uint8).T),
        # (rank, sample, frame): what one sample is taken for repeats from frame to frame.
        "top": _packed(named.transpose(2, 1, 0).astype(np.uint8)),
        "percent": _packed(percent.transpose(2, 1, 0)),
        "pf": _packed(_eight_bits(panel.p_f)),
        # uint8 differences wrap around, and so does the running sum that undoes them.
        "moved": _packed(_changes(moved)),
        "guest": None if panel.guest is None else _encode_guest(panel.guest, low, high),
    }


def _encode_guest(places: Floats, low: Floats, high: Floats) -> list[list[int] | None]:
    """A place on the map for every frame, None where it was not computed."""
    return [
        _steps(place, low, high).tolist() if np.isfinite(place).all() else None for place in places
    ]


def _changes(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """From frame to frame; the first frame remains as it is."""
    return np.diff(values, axis=0, prepend=np.zeros_like(values[:1]))


def _steps(xy: Floats, low: Floats, high: Floats) -> npt.NDArray[np.uint16]:
    span = np.where(high > low, high - low, 1.0)
    return np.round((xy - low) / span * _STEPS).astype(np.uint16)


def _eight_bits(fraction: Floats) -> Bytes:
    return np.round(np.clip(fraction, 0, 1) * 255).astype(np.uint8)


def _packed(values: Bytes) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes())).decode()


def _sprite(images: Bytes) -> dict[str, Any]:
    """All samples in one WebP, row by row: grey in 16 exact shades, colour at half the quality.

    ``images`` are (n, H, W) or (n, H, W, 3).
    """
    samples, height, width = images.shape[:3]
    rows = -(-samples // _COLUMNS)
    sheet = np.zeros((rows * _COLUMNS, *images.shape[1:]), np.uint8)
    sheet[:samples] = images
    sheet = sheet.reshape(rows, _COLUMNS, *images.shape[1:]).swapaxes(1, 2)
    sheet = sheet.reshape(rows * height, _COLUMNS * width, *images.shape[3:])
    file, is_grey = io.BytesIO(), images.ndim == 3
    if is_grey:
        shades = np.round(sheet / 17).astype(np.uint8) * 17
        Image.fromarray(shades).save(file, "WEBP", lossless=True)
    else:
        Image.fromarray(sheet).save(file, "WEBP", quality=50, method=6)
    return {
        "uri": _data_uri("webp", file),
        "columns": _COLUMNS,
        "width": width,
        "height": height,
        "grey": is_grey,
    }


def _encode_image(image: Bytes) -> dict[str, Any]:
    """One image, (H, W) or (H, W, 3), without loss."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", optimize=True)
    return {"uri": _data_uri("png", file), "grey": image.ndim == 2}


def _data_uri(kind: str, file: io.BytesIO) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
