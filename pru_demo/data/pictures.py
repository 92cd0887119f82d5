"""Pictures of any form, decoded to images of one form; what is wrong with one is a sentence."""

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pru_demo.data.spec import DamagedData, StoredPart

# Larger ones are refused from their header, as in uploads.
MAX_PIXELS = 24_000_000

_FORMATS = ("PNG", "JPEG", "WEBP")
_DECODE_ERRORS = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error)

_MODES = {1: "L", 3: "RGB"}
_GREY_MODES = ("1", "L", "LA", "I;16")


def decode_part(
    stored: StoredPart, channels: int, size: int, repair: str, *, fit: bool
) -> NDArray[np.uint8]:
    """All pictures as (N, channels, size, size) uint8.

    With ``fit`` each is turned upright, cut to its central square and scaled; without, each must
    have the size already. Raises :class:`DamagedData`, naming the picture, when one cannot be had.
    """
    images = np.empty((len(stored.labels), channels, size, size), np.uint8)
    for index, (where, content) in enumerate(stored.pictures()):
        image = _header(content, where, repair)
        try:
            if fit:
                image = _fitted(image, _MODES[channels], size)
            pixels = np.asarray(image.convert(_MODES[channels]))
        except _DECODE_ERRORS as error:
            raise DamagedData(f"{where} is damaged or incomplete. {repair}") from error
        if pixels.shape[:2] != (size, size):
            height, width = pixels.shape[:2]
            raise DamagedData(f"{where} has {width}×{height} pixels, not {size}×{size}. {repair}")
        images[index] = pixels.reshape(size, size, channels).transpose(2, 0, 1)
    return images


def form_of(content: bytes, where: str, repair: str) -> tuple[int, int]:
    """Channels (1 or 3) of a picture and its shorter side in pixels, from its header.

    Raises :class:`DamagedData` when it is no picture.
    """
    image = _header(content, where, repair)
    return (1 if image.mode in _GREY_MODES else 3), min(image.size)


def _header(content: bytes, where: str, repair: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    # Pillow's own limit lies above ours; beyond twice that it raises by itself.
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DamagedData(_too_large(where)) from error
    except _DECODE_ERRORS as error:
        raise DamagedData(f"{where} is not a PNG, JPEG or WebP picture. {repair}") from error
    if image.width * image.height > MAX_PIXELS:
        raise DamagedData(_too_large(where))
    return image


def _too_large(where: str) -> str:
    return f"{where} has more than {MAX_PIXELS // 1_000_000} million pixels: make it smaller."


def _fitted(image: Image.Image, mode: str, size: int) -> Image.Image:
    # A large JPEG is decoded at a fraction of its size right away.
    image.draft(mode, (size, size))
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    if image.mode == "I;16":
        # Pillow would cut off at 255.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return ImageOps.fit(image.convert(mode), (size, size))
