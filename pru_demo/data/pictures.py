"""Opens pictures that others made: by content, header first, bounded.

Everything that can be refused from the header is refused before a pixel is decoded, so that a
forged 10 kB file cannot cost hundreds of megabytes. The opener only names the flaw; the sentence
belongs to who asked, here for data sets and in ``uploads.py`` for what visitors send.
"""

import io
import struct
import zlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pru_demo.data.spec import DamagedData, StoredPart

MAX_PIXELS = 24_000_000

Mode = Literal["L", "RGB"]
Flaw = Literal["no picture", "too large", "damaged"]

_FORMATS = ("PNG", "JPEG", "WEBP")
_DECODE_ERRORS = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error)


class UnusablePicture(ValueError):
    """What is wrong with a picture."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw)
        self.flaw: Flaw = flaw


def open_header(content: bytes, *, max_side: int = MAX_PIXELS) -> Image.Image:
    """The picture, of which only the header is read.

    Raises UnusablePicture when it is none, or has too many pixels, also along one side.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    # Pillow raises the error by itself and the warning where warnings are errors; sizes that only
    # make it warn are above our own limit anyway.
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusablePicture("too large") from error
    except _DECODE_ERRORS as error:
        raise UnusablePicture("no picture") from error
    if image.width * image.height > MAX_PIXELS or max(image.size) > max_side:
        raise UnusablePicture("too large")
    return image


def decode(
    image: Image.Image, mode: Mode, *, side: int | None = None, shrink: bool = False
) -> Image.Image:
    """The pixels behind an opened header, in ``mode``; without ``side`` exactly as they are stored.

    With it the camera's orientation is applied and transparency laid on white; a large JPEG is
    decoded at a fraction of its size, still at least ``side``. With ``shrink`` no side is longer
    than that, whatever the format. Raises UnusablePicture when it is damaged or incomplete.
    """
    try:
        if side is None:
            return image.convert(mode)
        image.draft(mode, (side, side))
        image.load()
        if shrink:
            # First of all, so that the later steps cost the same for every picture.
            if image.mode not in ("L", "RGB", "RGBA"):
                image = image.convert("RGBA" if image.has_transparency_data else "RGB")
            image.thumbnail((side, side), Image.Resampling.BOX)
        image = ImageOps.exif_transpose(image)
        if image.has_transparency_data:
            paper = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(paper, image.convert("RGBA"))
        if image.mode == "I;16":
            # Pillow would cut off at 255.
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        return image.convert(mode)
    except _DECODE_ERRORS as error:
        raise UnusablePicture("damaged") from error


_MODES: dict[int, Mode] = {1: "L", 3: "RGB"}
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
        try:
            image = decode(open_header(content), _MODES[channels], side=size if fit else None)
        except UnusablePicture as problem:
            raise _damaged(problem, where, repair) from problem
        if fit:
            image = ImageOps.fit(image, (size, size))
        if image.size != (size, size):
            width, height = image.size
            raise DamagedData(f"{where} has {width}×{height} pixels, not {size}×{size}. {repair}")
        images[index] = np.asarray(image).reshape(size, size, channels).transpose(2, 0, 1)
    return images


def form_of(content: bytes, where: str, repair: str) -> tuple[int, int]:
    """Channels (1 or 3) of a picture and its shorter side in pixels, from its header.

    Raises :class:`DamagedData` when it is no picture.
    """
    try:
        image = open_header(content)
    except UnusablePicture as problem:
        raise _damaged(problem, where, repair) from problem
    return (1 if image.mode in _GREY_MODES else 3), min(image.size)


def _damaged(problem: UnusablePicture, where: str, repair: str) -> DamagedData:
    pixels = f"{MAX_PIXELS // 1_000_000} million pixels"
    sentences: dict[Flaw, str] = {
        "no picture": f"{where} is not a PNG, JPEG or WebP picture. {repair}",
        "too large": f"{where} has more than {pixels}: make it smaller.",
        "damaged": f"{where} is damaged or incomplete. {repair}",
    }
    return DamagedData(sentences[problem.flaw])
