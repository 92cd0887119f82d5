"""Drawings and photos come out as MNIST would have stored them, checked on MNIST itself."""

import gzip
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pru_demo.data.digits import digit_from_drawing, digit_from_upload, image_from_upload
from pru_demo.data.uploads import PictureError

IMAGES = Path(__file__).parents[1] / "assets/data/mnist/t10k-images-idx3-ubyte.gz"


@pytest.fixture(scope="module")
def mnist() -> npt.NDArray[np.uint8]:
    """The first 100 test images of MNIST, (100, 28, 28)."""
    if not IMAGES.is_file():
        pytest.skip("assets/data/mnist is not in this checkout")
    with gzip.open(IMAGES) as file:
        return np.frombuffer(file.read(16 + 100 * 784), np.uint8, offset=16).reshape(-1, 28, 28)


def png(grey: npt.NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()


def enlarged(grey: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.BICUBIC))


def photo_of(grey: npt.NDArray[np.uint8], seed: int = 0) -> bytes:
    """The digit in dark ink off the middle of a page that is lit from one side, with grain."""
    page = np.zeros((900, 1200))
    page[150:750, 200:800] = enlarged(grey, 600) / 255
    down, right = np.mgrid[:900, :1200]
    light = 235 - 90 * right / 1200 - 40 * down / 900
    grain = np.random.default_rng(seed).normal(0, 5, page.shape)
    shot = (light * (1 - 0.7 * page) + grain).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(shot).save(file, "JPEG", quality=85)
    return file.getvalue()


def distance(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(float) - b).mean())


def likeness(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_an_mnist_digit_is_already_in_place(mnist: npt.NDArray[np.uint8]) -> None:
    distances = [distance(digit_from_drawing(image).pixels, image) for image in mnist]
    assert max(distances) < 1


def test_a_drawing_of_an_mnist_digit_comes_back_close(mnist: npt.NDArray[np.uint8]) -> None:
    drawn = [digit_from_drawing(enlarged(image, 84)).pixels for image in mnist]
    assert np.mean([distance(*pair) for pair in zip(drawn, mnist, strict=True)]) < 9
    # The centre of mass is rounded to a pixel, so a few digits may come back one pixel aside.
    assert np.mean([likeness(*pair) for pair in zip(drawn, mnist, strict=True)]) > 0.94


def test_place_and_size_of_a_drawing_do_not_matter(mnist: npt.NDArray[np.uint8]) -> None:
    ink = enlarged(mnist[0], 56)
    corner, middle = np.zeros((2, 84, 84), np.uint8)
    corner[:56, :56] = middle[14:70, 14:70] = ink
    assert np.array_equal(digit_from_drawing(corner).pixels, digit_from_drawing(middle).pixels)


def test_a_lopsided_drawing_that_hangs_over_the_edge_is_kept_in_28_pixels() -> None:
    flag = np.zeros((84, 84), np.uint8)
    flag[:, 0:3] = 255
    flag[:20, :80] = 255
    pixels = digit_from_drawing(flag).pixels
    assert pixels.shape == (28, 28)
    down, right = np.indices((28, 28))
    assert abs(np.average(down, weights=pixels) - 14) <= 0.5
    assert abs(np.average(right, weights=pixels) - 14) <= 0.5


def test_a_single_dot_becomes_a_digit() -> None:
    dot = np.zeros((84, 84), np.uint8)
    dot[40, 40] = 255
    assert digit_from_drawing(dot).pixels.max() == 255


def test_an_empty_drawing_is_said_to_be_empty() -> None:
    with pytest.raises(PictureError, match="drawing is empty"):
        digit_from_drawing(np.zeros((84, 84), np.uint8))


@pytest.mark.parametrize("negative", [False, True])
def test_an_mnist_file_comes_through_in_either_polarity(
    mnist: npt.NDArray[np.uint8], negative: bool
) -> None:
    for image in mnist:
        digit = digit_from_upload(png(255 - image if negative else image))
        assert digit.source == "uploaded"
        assert distance(digit.pixels, image) < 10
        assert likeness(digit.pixels, image) > 0.9


def test_a_photo_in_uneven_light_is_read(mnist: npt.NDArray[np.uint8]) -> None:
    read = [digit_from_upload(photo_of(image)).pixels for image in mnist[:10]]
    assert min(likeness(*pair) for pair in zip(read, mnist[:10], strict=True)) > 0.8


def test_specks_far_from_the_ink_are_not_part_of_the_digit(mnist: npt.NDArray[np.uint8]) -> None:
    page = 255 - np.pad(enlarged(mnist[0], 200), 28)
    clean = digit_from_upload(png(page)).pixels
    page[3:5, 3:5] = 0
    assert likeness(digit_from_upload(png(page)).pixels, clean) > 0.99


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_picture_of_one_colour_is_refused(shade: int) -> None:
    with pytest.raises(PictureError, match="all one colour"):
        digit_from_upload(png(np.full((120, 90), shade, np.uint8)))


def test_a_blank_page_with_grain_is_refused() -> None:
    grain = np.random.default_rng(0).normal(200, 4, (200, 200)).clip(0, 255).astype(np.uint8)
    with pytest.raises(PictureError, match="all one colour"):
        digit_from_upload(png(grain))


def test_a_refused_file_is_a_digit_error_with_the_reason() -> None:
    with pytest.raises(PictureError, match="not a PNG, JPEG or WebP"):
        digit_from_upload(b"GIF89a, they said")


def test_a_picture_of_anything_becomes_its_middle_square_in_colour() -> None:
    wide = np.zeros((60, 120, 3), np.uint8)
    wide[:, 30:90] = (200, 100, 50)
    buffer = io.BytesIO()
    Image.fromarray(wide).save(buffer, "PNG")
    pixels = image_from_upload(buffer.getvalue(), 32, colour=True, white_ink=False).pixels
    assert pixels.shape == (3, 32, 32)
    assert [set(channel.flat) for channel in pixels] == [{200}, {100}, {50}]


@pytest.mark.parametrize("paper", [0, 250])
def test_a_thing_on_any_paper_is_bright_on_black_where_its_data_set_is(paper: int) -> None:
    sheet = np.full((64, 64), paper, np.uint8)
    sheet[16:48, 16:48] = 255 - paper
    pixels = image_from_upload(png(sheet), 28, colour=False, white_ink=True).pixels
    assert pixels.shape == (28, 28)
    assert pixels[0, 0] < 10 and pixels[14, 14] > 245


def test_a_refused_picture_of_anything_is_a_digit_error() -> None:
    with pytest.raises(PictureError, match="not a PNG"):
        image_from_upload(b"MZ", 32, colour=True, white_ink=False)
