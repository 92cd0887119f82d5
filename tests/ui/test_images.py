"""Ink is shown dark on light, pictures as they are, and neither larger than it must be."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pru_demo.data import DATASETS, DatasetSpec, _read_part
from pru_demo.ui.perception.player_film import _thumbnails
from pru_demo.ui.shared import images as module
from pru_demo.ui.shared.images import class_chip, data_uri, sample_images, strip


def decoded(uri: str) -> tuple[str, NDArray[np.uint8]]:
    """Media type and pixels of a data URI."""
    head, _, body = uri.partition(";base64,")
    return head.removeprefix("data:"), np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("shape", [(28, 28), (1, 28, 28)])
def test_ink_becomes_dark_on_light(shape: tuple[int, ...]) -> None:
    kind, pixels = decoded(data_uri(noise(*shape)))
    assert kind == "image/png"
    assert np.array_equal(pixels, 255 - noise(*shape).reshape(28, 28))


def test_a_picture_keeps_its_colours() -> None:
    kind, pixels = decoded(data_uri(noise(3, 32, 32)))
    assert kind == "image/webp"
    assert np.array_equal(pixels, np.moveaxis(noise(3, 32, 32), 0, -1))


def test_a_large_picture_is_shrunk() -> None:
    _, pixels = decoded(data_uri(noise(3, 224, 224), side=32))
    assert pixels.shape == (32, 32, 3)


@pytest.fixture
def photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two data sets of three classes with two grey images each: ``photos`` and ``inks``."""
    images, labels = noise(6, 1, 16, 16), np.array([2, 2, 0, 0, 1, 1], np.uint8)
    spec = DatasetSpec(
        label="photos",
        class_names=("ant", "bee", "cat"),
        channels=1,
        image_size=16,
        train_size=6,
        read=lambda part: (images, labels),
    )
    monkeypatch.setitem(DATASETS, "photos", spec)
    monkeypatch.setitem(DATASETS, "inks", replace(spec, white_ink=True))
    _read_part.cache_clear()
    class_chip.cache_clear()


def test_no_negative_is_made_of_a_grey_photograph(photos: None) -> None:
    shown = sample_images("photos")
    assert shown.shape == (6, 3, 16, 16)
    assert np.array_equal(shown[:, 1], noise(6, 1, 16, 16)[:, 0])
    assert decoded(data_uri(shown[0]))[0] == "image/webp"
    assert sample_images("inks").shape == (6, 1, 16, 16)


def test_a_class_is_offered_by_its_name_and_its_first_image(photos: None) -> None:
    chip = class_chip("photos", True, 1)
    assert chip.startswith("![](data:image/webp;base64,")
    assert chip.endswith(") bee")
    _, pixels = decoded(chip.removeprefix("![](").partition(")")[0])
    assert np.array_equal(pixels[..., 0], noise(6, 1, 16, 16)[4, 0])


def test_a_class_without_images_is_offered_by_its_name() -> None:
    assert class_chip("cifar100", False, 99) == "worm"


def test_the_film_shows_small_images_unchanged_and_large_ones_averaged() -> None:
    assert np.array_equal(_thumbnails(noise(4, 1, 28, 28)), noise(4, 1, 28, 28)[:, 0])
    colours = noise(4, 3, 32, 32)
    assert np.array_equal(_thumbnails(colours), np.moveaxis(colours, 1, 3))
    large = np.repeat(np.repeat(noise(2, 3, 32, 32), 4, axis=2), 4, axis=3)
    assert np.array_equal(_thumbnails(large), np.moveaxis(large, 1, 3)[:, ::2, ::2])
    assert _thumbnails(noise(2, 3, 224, 224)).shape == (2, 56, 56, 3)


def test_a_caption_is_shown_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(module.st, "html", shown.append)
    strip([noise(28, 28)], ["<b>5 & 6</b>"], alt='a "5"')
    assert "&lt;b&gt;5 &amp; 6&lt;/b&gt;" in shown[0]
    assert "<b>" not in shown[0]
    assert 'aria-label="a &quot;5&quot;"' in shown[0]
