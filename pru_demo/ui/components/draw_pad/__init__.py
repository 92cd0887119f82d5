"""A square sheet to draw a digit on with mouse, finger or keyboard."""

import base64
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import streamlit as st

from pru_demo.ui.components import read_component

SIDE: Final = 84  # pixels that come back: three per pixel of MNIST
_BASE64_LENGTH: Final = SIDE * SIDE // 3 * 4
_MAX_STROKES: Final = 10_000

_PAD = st.components.v2.component(
    "pru_draw_pad", **read_component(Path(__file__).parent, ["ink.js"])
)


def draw_pad(key: str, *, label: str) -> npt.NDArray[np.uint8] | None:
    """Show the sheet and return what is drawn on it so far.

    The script runs again after each finished stroke, undo and clear. The drawing stays when the
    script reruns, the theme changes, or the visitor comes back from another page.

    Args:
        key: names this sheet in the app; the same key keeps the same drawing.
        label: what the sheet is for, read out by screen readers.

    Returns:
        (84, 84) uint8, 0 = paper, 255 = ink, or ``None`` while the sheet is empty.
    """
    result = _PAD(key=key, data={"key": key, "label": label}, on_drawing_change=lambda: None)
    try:
        return decode_drawing(result.drawing)
    except ValueError:
        # Our own script sends only valid drawings, so this is a forged message: show it nothing.
        return None


def decode_drawing(value: object) -> npt.NDArray[np.uint8] | None:
    """Check and decode what the browser sent, which anyone can forge.

    Args:
        value: ``{"strokes": int, "pixels": base64 of 84·84 bytes}``, or ``None`` before the first
            stroke.

    Returns:
        (84, 84) uint8, or ``None`` if there is no ink on the sheet.

    Raises:
        ValueError: anything else.
    """
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != {"strokes", "pixels"}:
        raise ValueError("A drawing must have exactly the fields strokes and pixels.")
    strokes, encoded = value["strokes"], value["pixels"]
    if type(strokes) is not int or not 0 <= strokes <= _MAX_STROKES:
        raise ValueError(f"The number of strokes must be an integer from 0 to {_MAX_STROKES}.")
    if not isinstance(encoded, str):
        raise ValueError("The pixels of a drawing must be base64 text.")
    # Length first, so that a huge text is not decoded only to be thrown away.
    if len(encoded) == _BASE64_LENGTH:
        try:
            pixels = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise ValueError("The pixels of a drawing must be base64 text.") from error
        if len(pixels) == SIDE * SIDE:
            grey = np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE)
            return grey if grey.any() else None
    raise ValueError(f"A drawing must have exactly {SIDE}×{SIDE} bytes.")
