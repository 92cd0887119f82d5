"""MNIST as shipped is MNIST as published."""

import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pru_demo.data import DATASETS, load_dataset, places, read_part
from pru_demo.data.places import RESTORE, read_published
from pru_demo.data.published import PUBLISHED
from pru_demo.data.samples import Dataset, as_input
from pru_demo.data.spec import DamagedData
from pru_demo.paths import ASSETS

MD5 = PUBLISHED["mnist"].md5
SHIPPED = ASSETS / "data" / "mnist"
PER_CLASS_TRAIN = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
PER_CLASS_TEST = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.parametrize("name", MD5)
def test_shipped_files_have_the_published_checksums(name: str) -> None:
    raw = gzip.decompress((SHIPPED / f"{name}.gz").read_bytes())
    assert hashlib.md5(raw, usedforsecurity=False).hexdigest() == MD5[name]


def test_all_images_and_labels_are_there(mnist: Dataset) -> None:
    assert mnist.train_images.shape == (60_000, 1, 28, 28)
    assert mnist.test_images.shape == (10_000, 1, 28, 28)
    assert {t.dtype for t in vars(mnist).values()} == {torch.uint8}
    assert torch.bincount(mnist.train_labels).tolist() == PER_CLASS_TRAIN
    assert torch.bincount(mnist.test_labels).tolist() == PER_CLASS_TEST


def test_registry_describes_what_is_loaded(mnist: Dataset) -> None:
    spec = DATASETS["mnist"]
    shape = (spec.train_size, spec.channels, spec.image_size, spec.image_size)
    assert mnist.train_images.shape == shape
    assert int(mnist.train_labels.max()) == len(spec.class_names) - 1


def test_data_set_is_read_once(mnist: Dataset) -> None:
    assert load_dataset("mnist") is mnist


def test_images_without_torch_are_the_same(mnist: Dataset) -> None:
    images, labels = read_part("mnist", "test")
    assert np.array_equal(images, mnist.test_images.numpy())
    assert np.array_equal(labels, mnist.test_labels.numpy())


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: Path) -> Path:
    """A copy of what ships, in its place, with nothing in the data directory."""
    monkeypatch.setattr(places, "ASSETS", tmp_path / "assets")
    return Path(shutil.copytree(SHIPPED, tmp_path / "assets" / "data" / "mnist"))


@pytest.mark.parametrize("name", MD5)
def test_every_missing_file_is_named_with_the_command_that_restores_it(
    copied: Path, name: str
) -> None:
    (copied / f"{name}.gz").unlink()
    with pytest.raises(DamagedData) as caught:
        read_published("mnist", "train")
    assert str(caught.value) == f"{name}.gz is missing from {copied}. {RESTORE}"
    assert "git checkout -- assets/data/mnist" in RESTORE


def test_truncated_file_is_named_with_the_command_that_restores_it(copied: Path) -> None:
    path = copied / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(DamagedData) as caught:
        read_published("mnist", "test")
    assert path.name in str(caught.value)
    assert str(caught.value).endswith(RESTORE)


def test_files_swapped_for_each_other_are_noticed(copied: Path) -> None:
    shutil.copy(copied / "t10k-labels-idx1-ubyte.gz", copied / "train-labels-idx1-ubyte.gz")
    with pytest.raises(DamagedData, match=r"train-labels-idx1-ubyte\.gz is damaged"):
        read_published("mnist", "train")


def test_what_ships_is_read_before_the_data_directory(copied: Path, directory: Path) -> None:
    (directory / "MNIST" / "raw").mkdir(parents=True)
    for name in MD5:
        (directory / "MNIST" / "raw" / f"{name}.gz").write_bytes(b"other")
    assert len(read_published("mnist", "test")[0]) == 10_000


def test_networks_see_pixels_between_zero_and_one(mnist: Dataset) -> None:
    before = mnist.test_images[:8].clone()
    x = as_input(mnist.test_images[:8])
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert (x.min().item(), x.max().item()) == (0.0, 1.0)
    assert torch.equal(x.mul(255).round().to(torch.uint8), before)
    assert torch.equal(mnist.test_images[:8], before)
