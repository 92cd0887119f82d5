"""CIFAR as published is pickles, and none is opened unless its checksum is the published one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pru_demo.data import available, read_part
from pru_demo.data.cifar import _FILES
from pru_demo.data.published import PUBLISHED
from pru_demo.data.spec import PARTS, DamagedData
from tests.data.files import cycling, random_images


def write_batches(directory: Path, name: str, content: bytes) -> Path:
    folder = directory / PUBLISHED[name].folder
    folder.mkdir()
    for file in _FILES[PUBLISHED[name].torchvision]:
        (folder / file).write_bytes(content)
    return folder


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_a_file_with_another_checksum_is_refused_unopened(
    directory: Path, tmp_path: Path, name: str
) -> None:
    # Whoever unpickles this makes a folder.
    trap = tmp_path / "opened"
    folder = write_batches(directory, name, f"cos\nmkdir\n(V{trap}\ntR.".encode())
    assert available(name)
    for part in PARTS:
        with pytest.raises(DamagedData) as caught:
            read_part(name, part)
        assert str(caught.value) == (
            f"The files in {folder} are damaged: their checksums are not the published ones. "
            f"Copy it there again, or run: python -m pru_demo data fetch {name}"
        )
    assert not trap.exists()


def test_an_incomplete_folder_is_not_available(directory: Path) -> None:
    folder = write_batches(directory, "cifar10", b"")
    (folder / "data_batch_4").unlink()
    assert not available("cifar10")
    with pytest.raises(DamagedData, match="data_batch_4 is missing from "):
        read_part("cifar10", "train")


@pytest.mark.usefixtures("small")
def test_what_torchvision_gives_becomes_channels_first(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision

    images, labels = random_images(20, 3, 32), cycling(20, 10)
    asked: list[tuple[Path, bool]] = []

    class Given:
        def __init__(self, root: Path, train: bool, **options: Any) -> None:
            asked.append((root, train))
            count = 20 if train else 10
            self.data = np.moveaxis(images, 1, -1)[:count]
            self.targets = labels[:count].tolist()

    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Given)
    write_batches(directory, "cifar10", b"")
    for part in PARTS:
        got, numbers = read_part("cifar10", part)
        np.testing.assert_array_equal(got, images[: len(got)], strict=True)
        np.testing.assert_array_equal(numbers, labels[: len(got)], strict=True)
    assert asked == [(directory, True), (directory, False)]
