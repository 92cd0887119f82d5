"""Published data sets are read in every layout, and a damaged file of each is one sentence."""

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pru_demo.data import DATASETS, available, location, note_of, read_part
from pru_demo.data.parquet import JPEG_NOTE
from pru_demo.data.spec import PARTS, DamagedData
from tests.data.conftest import SMALL
from tests.data.files import (
    Pixels,
    cycling,
    encoded,
    idx_bytes,
    random_images,
    write_idx_part,
    write_parquet,
)

pytestmark = pytest.mark.usefixtures("small")


def grey(part: str) -> tuple[Pixels, Pixels]:
    return random_images(SMALL[part], 1, 28, len(part)), cycling(SMALL[part], 10)


def colour(part: str, classes: int = 10) -> tuple[Pixels, Pixels]:
    return random_images(SMALL[part], 3, 32, len(part)), cycling(SMALL[part], classes)


def write_pictures(folder: Path, images: Callable[[str], tuple[Pixels, Pixels]] = colour) -> None:
    for part in PARTS:
        pixels, labels = images(part)
        contents = [encoded(each) for each in pixels]
        write_parquet(folder / f"{part}-00000-of-00001.parquet", contents, labels.tolist())


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist"])
@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize("layout", ["idx", "torchvision"])
def test_idx_files_are_read(directory: Path, name: str, packed: bool, layout: str) -> None:
    torchvision = {"fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}[name]
    folder = directory / name if layout == "idx" else directory / torchvision / "raw"
    for part in PARTS:
        write_idx_part(folder, part, *grey(part), packed=packed)
    assert location(name) == folder
    for part in PARTS:
        images, labels = read_part(name, part)
        np.testing.assert_array_equal(images, grey(part)[0], strict=True)
        np.testing.assert_array_equal(labels, grey(part)[1], strict=True)


@pytest.mark.parametrize("name", ["cifar10", "fashion-mnist"])
def test_parquet_files_are_read(directory: Path, name: str) -> None:
    made = colour if name == "cifar10" else grey
    write_pictures(directory / name, made)
    assert location(name) == directory / name
    for part in PARTS:
        images, labels = read_part(name, part)
        np.testing.assert_array_equal(images, made(part)[0], strict=True)
        np.testing.assert_array_equal(labels, made(part)[1], strict=True)
    assert note_of(name) == ""


def test_all_parts_of_a_parquet_data_set_are_read_in_order(directory: Path) -> None:
    write_pictures(directory / "cifar10")
    images, labels = colour("train")
    (directory / "cifar10" / "train-00000-of-00001.parquet").unlink()
    for number, rows in enumerate((slice(0, 7), slice(7, None))):
        write_parquet(
            directory / "cifar10" / f"train-0000{number}-of-00002.parquet",
            [encoded(each) for each in images[rows]],
            labels[rows].tolist(),
        )
    assert np.array_equal(read_part("cifar10", "train")[0], images)


def test_cifar_100_has_its_fine_labels(directory: Path) -> None:
    for part in PARTS:
        images, labels = colour(part, 100)
        write_parquet(
            directory / "cifar100" / f"{part}-0.parquet",
            [encoded(each) for each in images],
            labels.tolist(),
            image_column="img",
            label_column="fine_label",
        )
    assert read_part("cifar100", "train")[1].tolist() == list(range(20))


def test_results_on_reencoded_pictures_carry_a_note(directory: Path) -> None:
    for part in PARTS:
        images, labels = colour(part)
        contents = [encoded(each, "jpeg") for each in images]
        write_parquet(directory / "cifar10" / f"{part}-0.parquet", contents, labels.tolist())
    assert note_of("cifar10") == JPEG_NOTE
    images, _ = read_part("cifar10", "train")
    assert images.shape == colour("train")[0].shape
    assert note_of("cifar100") == note_of("mnist") == ""


def test_torchvisions_layout_comes_first(directory: Path) -> None:
    for folder, seed in (("FashionMNIST/raw", 5), ("fashion-mnist", 6)):
        for part in PARTS:
            images = random_images(SMALL[part], 1, 28, seed)
            write_idx_part(directory / folder, part, images, cycling(SMALL[part], 10))
    expected = random_images(SMALL["test"], 1, 28, 5)
    assert np.array_equal(read_part("fashion-mnist", "test")[0], expected)


def test_an_incomplete_copy_does_not_hide_a_complete_one(directory: Path) -> None:
    write_idx_part(directory / "FashionMNIST" / "raw", "test", *grey("test"))
    write_pictures(directory / "fashion-mnist", grey)
    assert np.array_equal(read_part("fashion-mnist", "test")[0], grey("test")[0])


def sentence(name: str) -> str:
    """What is said when the training part is read."""
    with pytest.raises(DamagedData) as caught:
        read_part(name, "train")
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(f"Copy it there again, or run: python -m pru_demo data fetch {name}")
    return text


IMAGES = "train-images-idx3-ubyte.gz"
LABELS = "train-labels-idx1-ubyte.gz"


@pytest.mark.parametrize(
    ("file", "content", "word"),
    [
        (IMAGES, b"<html>", "cannot be read"),
        (IMAGES, gzip.compress(idx_bytes(grey("train")[0][:, 0]))[:-9], "cannot be read"),
        (IMAGES, gzip.compress(idx_bytes(grey("train")[0][:, 0])[:-9]), "no complete idx file"),
        (IMAGES, gzip.compress(idx_bytes(grey("train")[0][:19, 0])), "(19, 1, 28, 28)"),
        (IMAGES, gzip.compress(idx_bytes(grey("train")[0][:, 0, :27])), "(20, 1, 27, 28)"),
        (LABELS, gzip.compress(idx_bytes(grey("train")[1][:3])), "labels (3,)"),
        (LABELS, gzip.compress(idx_bytes(grey("train")[1] + 1)), "labels from 1 to 10, not 0 to 9"),
        (LABELS, gzip.compress(idx_bytes(grey("train")[0][:, 0])), "labels (20, 28, 28)"),
    ],
    ids=["html", "cut", "cut inside", "few", "narrow", "few labels", "labels", "images as labels"],
)
def test_a_damaged_idx_file_is_one_sentence(
    directory: Path, file: str, content: bytes, word: str
) -> None:
    for part in PARTS:
        write_idx_part(directory / "kmnist", part, *grey(part))
    (directory / "kmnist" / file).write_bytes(content)
    assert word in sentence("kmnist")
    read_part("kmnist", "test")


def damaged_parquets() -> dict[str, tuple[Callable[[Path], None], str]]:
    images, labels = colour("train")
    good, numbers = [encoded(each) for each in images], labels.tolist()
    one_bad = [*good[:4], good[4][:100], *good[5:]]
    other_size = [*good[:4], encoded(random_images(1, 3, 28)[0]), *good[5:]]
    strings = pa.table({"img": good, "label": [str(n) for n in numbers]})
    plain = pa.table({"img": good, "label": numbers})

    def corrupted(path: Path) -> None:
        write_parquet(path, good, numbers)
        raw = bytearray(path.read_bytes())
        raw[200:2000] = bytes(1800)
        path.write_bytes(raw)

    return {
        "html": (lambda path: path.write_bytes(b"<html>404</html>") and None, "as Parquet"),
        "empty": (lambda path: path.write_bytes(b"") and None, "as Parquet"),
        "corrupted": (corrupted, "train-0.parquet"),
        "a folder": (lambda path: path.mkdir(), "as Parquet"),
        "no labels": (
            lambda path: write_parquet(path, good, numbers, label_column="class"),
            "no column label or fine_label",
        ),
        "no images": (
            lambda path: write_parquet(path, good, numbers, image_column="photo"),
            "no column image or img",
        ),
        "words as labels": (lambda path: pq.write_table(strings, path), "no whole numbers"),
        "a label missing": (
            lambda path: write_parquet(path, good, [None, *numbers[1:]]),
            "no whole numbers",
        ),
        "no struct": (lambda path: pq.write_table(plain, path), "the pictures themselves"),
        "paths only": (
            lambda path: write_parquet(path, [None] * 20, numbers),
            "the pictures themselves",
        ),
        "no rows": (lambda path: write_parquet(path, [], []), "no pictures in train-*.parquet"),
        "few rows": (lambda path: write_parquet(path, good[:9], numbers[:9]), "(9, 3, 32, 32)"),
        "a cut picture": (lambda path: write_parquet(path, one_bad, numbers), "Picture 5 of "),
        "a small picture": (
            lambda path: write_parquet(path, other_size, numbers),
            "28×28 pixels, not 32×32",
        ),
        "no picture": (
            lambda path: write_parquet(path, [b"GIF89a", *good[1:]], numbers),
            "is not a PNG, JPEG or WebP picture",
        ),
        "labels": (
            lambda path: write_parquet(path, good, [n + 1 for n in numbers]),
            "labels from 1 to 10, not 0 to 9",
        ),
    }


@pytest.mark.parametrize("damage", damaged_parquets())
def test_a_damaged_parquet_file_is_one_sentence(directory: Path, damage: str) -> None:
    write_pictures(directory / "cifar10")
    path = directory / "cifar10" / "train-00000-of-00001.parquet"
    path.unlink()
    make, word = damaged_parquets()[damage]
    make(path.with_name("train-0.parquet"))
    assert word in sentence("cifar10")
    assert note_of("cifar10") == ""
    read_part("cifar10", "test")


@pytest.mark.parametrize("name", [name for name in DATASETS if name != "mnist"])
def test_a_missing_data_set_says_how_to_get_it(directory: Path, name: str) -> None:
    assert not available(name)
    with pytest.raises(DamagedData) as caught:
        read_part(name, "test")
    assert str(caught.value) == (
        f"{DATASETS[name].label} is not here: put its files into {directory / name}, or run: "
        f"python -m pru_demo data fetch {name}"
    )


def test_an_incomplete_data_set_says_what_is_missing(directory: Path) -> None:
    write_idx_part(directory / "kmnist", "test", *grey("test"))
    assert not available("kmnist")
    assert sentence("kmnist").startswith(f"{IMAGES} is missing from {directory / 'kmnist'}. ")
    shutil.rmtree(directory / "kmnist")
    write_pictures(directory / "kmnist", grey)
    (directory / "kmnist" / "train-00000-of-00001.parquet").unlink()
    assert sentence("kmnist").startswith("train-*.parquet is missing from ")


def test_a_data_directory_that_does_not_exist_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    monkeypatch.setenv("PRU_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(DamagedData, match=re.escape(f"{tmp_path / 'nowhere'}, which is not a f")):
        read_part("cifar10", "test")
    assert not available("cifar10")
    assert available("mnist")
    assert note_of("cifar10") == ""
