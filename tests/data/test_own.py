"""A folder of one's own becomes a data set by its name, or the log says in one sentence why not."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pru_demo.data.own import own_data_sets
from pru_demo.data.spec import PARTS, DamagedData, DatasetSpec
from tests.data.files import (
    Pixels,
    cycling,
    encoded,
    random_images,
    write_class_folders,
    write_parquet,
)

CLASSES = ("ant", "bee", "cat")


def pictures(part: str, size: int = 20, channels: int = 3) -> Pixels:
    """Two of each class for training, one for the test."""
    return random_images(6 if part == "train" else 3, channels, size, len(part))


def write_folders(folder: Path, size: int = 20, channels: int = 3) -> None:
    for part in PARTS:
        contents = [encoded(each) for each in pictures(part, size, channels)]
        write_class_folders(folder, part, {c: contents[i::3] for i, c in enumerate(CLASSES)})


def write_table(folder: Path, class_names: tuple[str, ...] = CLASSES, channels: int = 3) -> None:
    for part in PARTS:
        images = pictures(part, channels=channels)
        write_parquet(
            folder / f"{part}-0.parquet",
            [encoded(each) for each in images],
            cycling(len(images), 3).tolist(),
            class_names=class_names,
        )


def found(directory: Path) -> dict[str, DatasetSpec]:
    return own_data_sets(directory, {"mnist"})


def test_class_folders_become_a_data_set(directory: Path) -> None:
    write_folders(directory / "my-insects-2")
    (spec,) = found(directory).values()
    assert replace(spec, read=None) == DatasetSpec(  # type: ignore[arg-type]
        label="my-insects-2",
        class_names=CLASSES,
        channels=3,
        image_size=20,
        train_size=6,
        read=None,  # type: ignore[arg-type]
    )
    for part in PARTS:
        images, labels = spec.read(part)
        expected = pictures(part)
        by_class = np.concatenate([expected[i::3] for i in range(3)])
        np.testing.assert_array_equal(images, by_class, strict=True)
        np.testing.assert_array_equal(labels, np.sort(cycling(len(expected), 3)), strict=True)


def test_a_table_becomes_a_data_set_with_the_names_in_its_metadata(directory: Path) -> None:
    write_table(directory / "table")
    spec = found(directory)["table"]
    assert (spec.class_names, spec.train_size, spec.image_size) == (CLASSES, 6, 20)
    for part in PARTS:
        images, labels = spec.read(part)
        np.testing.assert_array_equal(images, pictures(part), strict=True)
        np.testing.assert_array_equal(labels, cycling(len(labels), 3), strict=True)


@pytest.mark.parametrize("names", [(), ("a", "a", "b"), ("", "a", "b")])
def test_classes_without_proper_names_are_numbered(directory: Path, names: tuple[str, ...]) -> None:
    write_table(directory / "table", class_names=names)
    assert found(directory)["table"].class_names == ("0", "1", "2")


def test_grey_pictures_make_a_grey_data_set(directory: Path) -> None:
    write_folders(directory / "grey", channels=1)
    spec = found(directory)["grey"]
    assert spec.channels == 1
    images, _ = spec.read("test")
    np.testing.assert_array_equal(images, pictures("test", channels=1), strict=True)


@pytest.mark.parametrize(
    ("side", "expected"), [(7, 16), (16, 16), (31, 28), (32, 32), (223, 220), (300, 224)]
)
def test_the_side_is_a_multiple_of_four_within_limits(
    directory: Path, side: int, expected: int
) -> None:
    write_folders(directory / "any", size=side)
    spec = found(directory)["any"]
    assert spec.image_size == expected
    assert spec.read("test")[0].shape == (3, 3, expected, expected)


def test_every_picture_takes_the_form_of_the_first(directory: Path) -> None:
    write_folders(directory / "mixed", size=24)
    ants = directory / "mixed" / "train" / "ant"
    # Red in the central square of a wide picture, blue outside.
    wide = np.zeros((3, 48, 96), np.uint8)
    wide[2] = 255
    wide[:, :, 24:72] = np.array([255, 0, 0])[:, None, None]
    (ants / "01.png").write_bytes(encoded(wide))
    (ants / "02.jpg").write_bytes(encoded(wide, "jpeg"))
    (ants / "03.JPEG").write_bytes(encoded(np.full((1, 30, 30), 200, np.uint8), "jpeg"))
    (ants / "04.png").write_bytes(encoded(np.full((3, 30, 30), 204, np.uint8), mode="P"))
    Image.new("RGBA", (24, 24), (0, 0, 0, 0)).save(ants / "05.png")
    Image.fromarray(np.full((30, 30), 128 * 257, np.uint16)).save(ants / "06.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera lay on its side: turn a quarter clockwise
    halves = Image.new("RGB", (24, 24), "white")
    halves.paste((0, 0, 0), (0, 0, 12, 24))
    halves.save(ants / "07.jpg", exif=turned, quality=95)
    images, labels = found(directory)["mixed"].read("train")
    assert labels.tolist() == [0] * 8 + [1] * 2 + [2] * 2
    for index, colour, tolerance in (
        (1, (255, 0, 0), 12),
        (2, (255, 0, 0), 12),
        (3, (200, 200, 200), 2),
        (4, (204, 204, 204), 0),
        (5, (255, 255, 255), 0),
        (6, (128, 128, 128), 1),
    ):
        inside = images[index, :, 2:-2, 2:-2].astype(int)
        assert np.abs(inside - np.array(colour)[:, None, None]).max() <= tolerance, index
    assert images[7, :, :10].max() < 30
    assert images[7, :, 14:].min() > 225


def test_a_colour_picture_in_a_grey_data_set_becomes_grey(directory: Path) -> None:
    write_folders(directory / "grey", channels=1)
    red = np.zeros((3, 20, 20), np.uint8)
    red[0] = 255
    (directory / "grey" / "train" / "ant" / "01.png").write_bytes(encoded(red))
    images, _ = found(directory)["grey"].read("train")
    assert images.shape == (6, 1, 20, 20)
    assert set(images[1].ravel().tolist()) == {76}


def test_what_file_managers_leave_is_not_a_class_or_picture(directory: Path) -> None:
    folder = directory / "clean"
    write_folders(folder)
    (folder / "train" / ".cache").mkdir()
    (folder / "train" / "notes.txt").write_text("Taken in May.")
    (folder / "train" / "ant" / "._00.png").write_bytes(b"\0")
    (folder / "train" / "ant" / "Thumbs.db").write_bytes(b"\0")
    spec = found(directory)["clean"]
    assert (spec.class_names, spec.train_size) == (CLASSES, 6)
    assert len(spec.read("train")[0]) == 6


def test_other_folders_are_not_taken_for_data_sets(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_folders(directory / "mnist")
    write_folders(directory / ".hidden")
    (directory / "cifar-10-batches-py").mkdir()
    (directory / "README.md").write_text("train")
    assert found(directory) == {}
    assert caplog.text == ""


def test_without_a_data_directory_there_are_none(tmp_path: Path) -> None:
    assert own_data_sets(tmp_path / "nowhere", set()) == {}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def bomb(path: Path) -> None:
    Image.new("1", (6000, 6000)).save(path)


def many_classes(folder: Path) -> None:
    picture = encoded(pictures("test")[0])
    for part in PARTS:
        write_class_folders(folder, part, {f"c{i:03}": [picture] for i in range(257)})


def untested_table(folder: Path) -> None:
    write_table(folder)
    (folder / "test-0.parquet").unlink()


def relabelled(folder: Path, labels: list[int], class_names: tuple[str, ...] = ()) -> None:
    write_table(folder, class_names)
    (folder / "train-0.parquet").unlink()
    contents = [encoded(each) for each in pictures("train")]
    write_parquet(folder / "train-0.parquet", contents, labels, class_names=class_names)


UNUSABLE: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "capitals": ("Mine", lambda f: None, "must be called by up to 40 lower-case letters"),
    "a space": ("my data", lambda f: None, "must be called by up to 40 lower-case letters"),
    "a long name": ("a" * 41, lambda f: None, "must be called by up to 40 lower-case letters"),
    "no test part": ("x", lambda f: (f / "test").rename(f / "val"), "test cannot be listed"),
    "two classes": (
        "x",
        lambda f: [(f / part / "cat").rename(f / f"{part}-cat") for part in PARTS],
        "fewer than 3 or more than 256 classes",
    ),
    "many classes": ("x", many_classes, "fewer than 3 or more than 256 classes"),
    "other classes": (
        "x",
        lambda f: (f / "test" / "cat").rename(f / "test" / "cow"),
        "other classes in test than train had",
    ),
    "an empty class": (
        "x",
        lambda f: (f / "test" / "bee" / "00.png").unlink(),
        "no picture of bee in test",
    ),
    "no pictures": (
        "x",
        lambda f: [path.rename(path.with_suffix(".gif")) for path in f.glob("train/*/*")],
        "train has no folders of pictures",
    ),
    "no picture first": (
        "x",
        lambda f: (f / "train" / "ant" / "00.png").write_text("<svg>"),
        "00.png is not a PNG, JPEG or WebP picture",
    ),
    "a huge picture": (
        "x",
        lambda f: bomb(f / "train" / "ant" / "00.png"),
        "00.png has more than 24 million pixels",
    ),
    "a damaged table": (
        "x",
        lambda f: (f / "train-0.parquet").write_bytes(b"PAR1"),
        "train-0.parquet cannot be read as Parquet",
    ),
    "no test table": (
        "x",
        untested_table,
        "no pictures in test-*.parquet",
    ),
    "negative labels": (
        "x",
        lambda f: relabelled(f, [-1, 0, 1, 2, 0, 1]),
        "labels in train that are not 0 to 2",
    ),
    "labels without names": (
        "x",
        lambda f: relabelled(f, [0, 1, 2, 3, 0, 1], CLASSES),
        "labels in train that are not 0 to 2",
    ),
    "astronomic labels": (
        "x",
        lambda f: relabelled(f, [0, 1, 2, 10**15, 0, 1]),
        "fewer than 3 or more than 256 classes",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_folder_is_skipped_with_a_sentence_in_the_log(
    directory: Path, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    name, spoil, word = UNUSABLE[case]
    write_folders(directory / "sound")
    write_folders(directory / name)
    spoil(directory / name)
    assert list(found(directory)) == ["sound"]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message.startswith(f"The data set {name} is not offered. ")
    assert word in record.message
    assert "\n" not in record.message


def test_a_data_set_too_large_for_memory_is_skipped(
    directory: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pru_demo.data.own.MOST_BYTES", 6 * 3 * 20 * 20 - 1)
    write_folders(directory / "large")
    assert found(directory) == {}
    assert "use fewer or smaller pictures" in caplog.text


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda f: cut(f / "train" / "cat" / "01.png"), "cat/01.png is damaged or incomplete"),
        (lambda f: bomb(f / "train" / "cat" / "01.png"), "more than 24 million pixels"),
        (
            lambda f: (f / "train" / "cat" / "01.png").unlink(),
            "have changed: start again",
        ),
        (lambda f: (f / "train" / "cow").mkdir(), "other classes in train than train had"),
        (lambda f: f.rename(f.with_name("gone")), "train cannot be listed"),
    ],
    ids=["cut", "bomb", "one less", "a class more", "gone"],
)
def test_what_changes_later_is_one_sentence(
    directory: Path, spoil: Callable[[Path], object], word: str
) -> None:
    write_folders(directory / "mine")
    read = found(directory)["mine"].read
    spoil(directory / "mine")
    with pytest.raises(DamagedData) as caught:
        read("train")
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)
