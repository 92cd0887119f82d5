"""Pictures that strangers upload: small files, one still each, handed on small and upright."""

from PIL import Image

from pru_demo.data.pictures import MAX_PIXELS, Flaw, UnusablePicture, decode, open_header

MAX_BYTES = 5 * 1024 * 1024
MAX_SIDE = 12_000
# Largest side handed on.
WORKING_SIDE = 256

_SENTENCES: dict[Flaw, str] = {
    "no picture": (
        "This file is not a PNG, JPEG or WebP picture: save it as one of these and try again."
    ),
    "too large": (
        f"The picture has too many pixels: at most {MAX_PIXELS // 1_000_000} million and "
        f"{MAX_SIDE} per side are accepted, so make it smaller and try again."
    ),
    "damaged": "The picture is damaged or incomplete: export or take it again.",
}


class PictureError(ValueError):
    """The input cannot be used; the message is a sentence for the person who made or sent it."""


def open_picture(data: bytes, *, colour: bool = False) -> Image.Image:
    """Decode an untrusted picture to a grey image (mode "L"), or a colour one ("RGB"), in memory.

    Transparency is laid on white, the camera's orientation is applied, the longer side is at most
    ``WORKING_SIDE`` pixels, and there is no metadata. Raises PictureError for what is no picture,
    too large, of too many pixels, animated, or incomplete.
    """
    if len(data) > MAX_BYTES:
        raise PictureError(
            f"The file is larger than {MAX_BYTES // 1024**2} MB: make the picture smaller."
        )
    try:
        image = open_header(data, max_side=MAX_SIDE)
        # Phones store portrait photos as MPO, a JPEG followed by a depth map: its first frame is
        # fine.
        if image.format != "MPO" and getattr(image, "n_frames", 1) != 1:
            raise PictureError("The picture is animated: upload a single still picture.")
        plain = decode(image, "RGB" if colour else "L", side=WORKING_SIDE, shrink=True)
    except UnusablePicture as problem:
        raise PictureError(_SENTENCES[problem.flaw]) from problem
    plain.info.clear()
    return plain
