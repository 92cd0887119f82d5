"""Opens pictures that strangers upload: by content, header first, one frame, bounded.

Everything that can be refused from the header is refused before a pixel is decoded, so that a
forged 10 kB file cannot cost hundreds of megabytes.
"""

import io
import struct
import zlib

from PIL import Image, ImageOps

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 24_000_000
MAX_SIDE = 12_000
# Largest side handed on; a JPEG is decoded at a fraction of its size right away.
WORKING_SIDE = 256

_FORMATS = ("PNG", "JPEG", "WEBP")
_DECODE_ERRORS = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error)

_NOT_A_PICTURE = (
    "This file is not a PNG, JPEG or WebP picture: save it as one of these and try again."
)
_TOO_MANY_PIXELS = (
    f"The picture has too many pixels: at most {MAX_PIXELS // 1_000_000} million and "
    f"{MAX_SIDE} per side are accepted, so make it smaller and try again."
)


class PictureError(ValueError):
    """The upload cannot be used; the message is a sentence for the person who sent it."""


def open_picture(data: bytes, *, colour: bool = False) -> Image.Image:
    """Decode an untrusted picture to a grey image, or to a colour one.

    Transparency is laid on white, the camera's orientation is applied, and the longer side is at
    most ``WORKING_SIDE`` pixels.

    Returns:
        A loaded image of mode ``"L"``, or of mode ``"RGB"``, without metadata.

    Raises:
        PictureError: not a picture, too large, too many pixels, animated, or incomplete.
    """
    if len(data) > MAX_BYTES:
        raise PictureError(
            f"The file is larger than {MAX_BYTES // 1024**2} MB: make the picture smaller."
        )
    image = _open_header(data)
    # Phones store portrait photos as MPO, a JPEG followed by a depth map: its first frame is fine.
    if image.format != "MPO" and getattr(image, "n_frames", 1) != 1:
        raise PictureError("The picture is animated: upload a single still picture.")
    mode = "RGB" if colour else "L"
    image.draft(mode, (WORKING_SIDE, WORKING_SIDE))
    try:
        image.load()
        return _upright(image, mode)
    except _DECODE_ERRORS as error:
        raise PictureError(
            "The picture is damaged or incomplete: export or take it again."
        ) from error


def _open_header(data: bytes) -> Image.Image:
    """Read the header only, and refuse what its sizes already rule out."""
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    # Pillow raises the error by itself and the warning where warnings are errors; sizes that only
    # make it warn are above our own limit anyway.
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(_TOO_MANY_PIXELS) from error
    except _DECODE_ERRORS as error:
        raise PictureError(_NOT_A_PICTURE) from error
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
        raise PictureError(_TOO_MANY_PIXELS)
    return image


def _upright(image: Image.Image, mode: str) -> Image.Image:
    """Shrink first (the later steps then cost the same for every upload), turn, lay on white."""
    if image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    plain = image.convert(mode)
    plain.info.clear()
    return plain
