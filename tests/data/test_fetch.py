"""A download ends in the data directory, complete and checked, or in one sentence."""

import gzip
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from pru_demo.data import DATASETS, available, read_part
from pru_demo.data import fetch as fetching
from pru_demo.data.fetch import STAGING, FetchFailed, fetch
from pru_demo.data.own import own_data_sets
from pru_demo.data.places import RESTORE
from pru_demo.data.published import PUBLISHED
from pru_demo.data.spec import PARTS, DamagedData
from tests.data.conftest import SMALL
from tests.data.files import Pixels, cycling, random_images, write_idx_part

pytestmark = pytest.mark.usefixtures("small")

UseDownload = Callable[[Callable[[Path], object]], list[str]]


def images(part: str) -> Pixels:
    return random_images(SMALL[part], 1, 28, 3)


def arrive(root: Path) -> None:
    """What torchvision leaves: archives and what was in them."""
    for packed in (True, False):
        for part in PARTS:
            labels = cycling(SMALL[part], 10)
            write_idx_part(root / "KMNIST" / "raw", part, images(part), labels, packed=packed)


@pytest.fixture
def download(monkeypatch: pytest.MonkeyPatch) -> UseDownload:
    """``download(instead)``: what happens in place of a download; gives the list of those."""

    def use(instead: Callable[[Path], object]) -> list[str]:
        asked: list[str] = []

        def arrives(name: str, root: Path) -> None:
            asked.append(name)
            instead(root)

        monkeypatch.setattr(fetching, "_download", arrives)
        return asked

    return use


def fail(root: Path) -> None:
    raise URLError(OSError("Name or service not known"))


def fail_on_all_mirrors(root: Path) -> None:
    raise RuntimeError(
        "Error downloading x.gz:\n"
        "Tried one.example, got:\n403\nTried two.example, got:\n<timed out>\n"
    )


def test_what_arrives_can_be_read(directory: Path, download: UseDownload) -> None:
    asked = download(arrive)
    said: list[str] = []
    target = fetch("kmnist", said.append)
    assert asked == ["KMNIST"]
    assert target == directory / "KMNIST" / "raw"
    assert said == [f"Downloading Kuzushiji-MNIST into {target}"]
    assert available("kmnist")
    assert np.array_equal(read_part("kmnist", "test")[0], images("test"))
    assert not list((directory / STAGING).iterdir())


def test_what_is_there_is_not_downloaded_again(directory: Path, download: UseDownload) -> None:
    asked = download(arrive)
    said: list[str] = []
    for part in PARTS:
        labels = cycling(SMALL[part], 10)
        write_idx_part(directory / "kmnist", part, images(part), labels)
    assert fetch("kmnist", said.append) == directory / "kmnist"
    assert asked == []
    assert said == [f"Kuzushiji-MNIST is already in {directory / 'kmnist'}"]


def test_a_damaged_copy_is_replaced(directory: Path, download: UseDownload) -> None:
    asked = download(arrive)
    for part in PARTS:
        labels = cycling(SMALL[part], 10)
        write_idx_part(directory / "KMNIST" / "raw", part, images(part), labels, packed=False)
        write_idx_part(directory / "kmnist", part, images(part), labels)
    (directory / "KMNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"\0")
    fetch("kmnist")
    assert asked == ["KMNIST"]
    assert np.array_equal(read_part("kmnist", "train")[0], images("train"))


def test_what_ships_is_restored_and_not_downloaded(
    directory: Path, download: UseDownload, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The small data set makes a damaged one of what ships.
    asked = download(arrive)
    with pytest.raises(DamagedData) as caught:
        fetch("mnist")
    assert str(caught.value).endswith(RESTORE)
    assert asked == []


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(fail, "urlopen error Name or service not known"), (fail_on_all_mirrors, "timed out")],
)
def test_a_failed_download_is_one_sentence_without_addresses(
    directory: Path, download: UseDownload, failure: Callable[[Path], object], reason: str
) -> None:
    download(failure)
    with pytest.raises(FetchFailed) as caught:
        fetch("kmnist")
    assert str(caught.value) == (
        f"Kuzushiji-MNIST could not be downloaded ({reason}). Check the connection and the space "
        "on the disk, and run the same command again."
    )
    assert not available("kmnist")


def test_an_interrupted_download_goes_on_from_its_archives(
    directory: Path, download: UseDownload
) -> None:
    def stop_while_unpacking(root: Path) -> None:
        arrive(root)
        (root / "KMNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"\0\0")
        raise KeyboardInterrupt

    download(stop_while_unpacking)
    with pytest.raises(KeyboardInterrupt):
        fetch("kmnist")
    assert not available("kmnist")
    assert own_data_sets(directory, DATASETS) == {}

    seen: list[str] = []

    def go_on(root: Path) -> None:
        seen.extend(sorted(path.suffix for path in (root / "KMNIST" / "raw").iterdir()))
        arrive(root)

    download(go_on)
    fetch("kmnist")
    assert seen == [".gz"] * 4
    assert np.array_equal(read_part("kmnist", "train")[0], images("train"))


def test_what_arrives_damaged_is_thrown_away(directory: Path, download: UseDownload) -> None:
    def arrive_damaged(root: Path) -> None:
        arrive(root)
        path = root / "KMNIST" / "raw" / "t10k-labels-idx1-ubyte.gz"
        path.write_bytes(gzip.compress(b"<html>"))

    download(arrive_damaged)
    with pytest.raises(FetchFailed, match="arrived damaged: run the same command again"):
        fetch("kmnist")
    assert not (directory / STAGING / "kmnist").exists()
    assert not available("kmnist")


def test_files_can_not_be_fetched_into_a_directory_that_does_not_exist(
    directory: Path, download: UseDownload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRU_DATA_DIR", str(directory / "nowhere"))
    asked = download(arrive)
    with pytest.raises(DamagedData, match="PRU_DATA_DIR names "):
        fetch("kmnist")
    assert asked == []


@pytest.mark.parametrize("name", PUBLISHED)
def test_torchvision_knows_every_published_data_set_by_the_folder_that_we_read(name: str) -> None:
    from torchvision import datasets

    known, data = getattr(datasets, PUBLISHED[name].torchvision), PUBLISHED[name]
    if data.is_idx:
        assert data.folder == f"{known.__name__}/raw"
        files = {file.removesuffix(".gz") for file, _ in known.resources}
        assert set(data.md5) <= files
    else:
        assert data.folder == known.base_folder
