"""What strangers upload is refused early, or comes out as a small upright grey image."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pru_demo.data.uploads import MAX_BYTES, WORKING_SIDE, PictureError, open_picture


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def forged_png(width: int, height: int) -> bytes:
    """A valid PNG header that promises ``width`` × ``height`` pixels, and nothing behind it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [5_000, 9_000, 12_000, 30_000])
def test_a_bomb_is_refused_from_its_header(side: int) -> None:
    with pytest.raises(PictureError, match="too many pixels"):
        open_picture(forged_png(side, side))


def test_a_long_thin_picture_is_refused() -> None:
    with pytest.raises(PictureError, match="12000 per side"):
        open_picture(forged_png(12_001, 1))


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"\x00" * 300, b"<svg></svg>", b"\x89PNG\r\n\x1a\n"]
)
def test_garbage_is_not_a_picture(data: bytes) -> None:
    with pytest.raises(PictureError, match="not a PNG, JPEG or WebP"):
        open_picture(data)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_other_formats_are_refused_by_content(kind: str) -> None:
    with pytest.raises(PictureError, match="not a PNG, JPEG or WebP"):
        open_picture(encoded(Image.new("L", (8, 8)), kind))


def test_more_bytes_than_the_limit_are_refused_unread() -> None:
    with pytest.raises(PictureError, match="larger than 5 MB"):
        open_picture(b"\0" * (MAX_BYTES + 1))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_refused(kind: str) -> None:
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 255)]
    with pytest.raises(PictureError, match="animated"):
        open_picture(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_truncated_picture_is_called_incomplete(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(PictureError, match="damaged or incomplete"):
        open_picture(data[: len(data) // 2])


def test_a_large_photo_is_shrunk_and_turned_upright() -> None:
    photo = Image.new("RGB", (2000, 1000), "white")
    photo.paste((0, 0, 0), (0, 0, 1000, 1000))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side: turn a quarter clockwise
    grey = open_picture(encoded(photo, "JPEG", exif=exif))
    assert (grey.mode, grey.size) == ("L", (WORKING_SIDE // 2, WORKING_SIDE))
    assert np.asarray(grey)[:100].mean() < 20 < 200 < np.asarray(grey)[-100:].mean()
    assert not grey.info


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_becomes_white_paper(mode: str) -> None:
    picture = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (5, 5, 15, 15))
    picture = picture.quantize(2) if mode == "P" else picture.convert(mode)
    grey = np.asarray(open_picture(encoded(picture)))
    assert grey[0, 0] == 255
    assert grey[10, 10] == 0


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
def test_every_colour_mode_keeps_dark_dark_and_light_light(mode: str) -> None:
    grey = np.zeros((20, 20), np.uint8)
    grey[:10] = 255
    picture = Image.fromarray(grey)
    if mode == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16) * 257)
    opened = np.asarray(open_picture(encoded(picture if mode == "I;16" else picture.convert(mode))))
    assert opened[:9].min() > 250
    assert opened[11:].max() < 5
