"""Images of samples as pictures that a browser opens."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from pru_demo.figures.film import Bytes

_COLUMNS = 40


def encode_sprite(images: Bytes) -> dict[str, Any]:
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


def encode_image(image: Bytes) -> dict[str, Any]:
    """One image, (H, W) or (H, W, 3), without loss."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", optimize=True)
    return {"uri": _data_uri("png", file), "grey": image.ndim == 2}


def _data_uri(kind: str, file: io.BytesIO) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
