"""MNIST as shipped is MNIST as published."""

import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pru_demo.data import DATASETS, load_dataset
from pru_demo.data.dataset import Dataset, as_input
from pru_demo.data.idx import DamagedData
from pru_demo.data.mnist import load_mnist
from pru_demo.data.mnist_files import MD5, REPAIR
from pru_demo.data.samples import mnist_test
from pru_demo.paths import ASSETS

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


def test_samples_without_torch_are_the_test_part(mnist: Dataset) -> None:
    images, labels = mnist_test()
    assert np.array_equal(images, mnist.test_images[:, 0].numpy())
    assert np.array_equal(labels, mnist.test_labels.numpy())


@pytest.mark.parametrize("name", MD5)
def test_every_missing_file_is_named_with_the_command_that_restores_it(
    tmp_path: Path, name: str
) -> None:
    for other in MD5:
        if other != name:
            (tmp_path / f"{other}.gz").symlink_to(SHIPPED / f"{other}.gz")
    with pytest.raises(DamagedData) as caught:
        load_mnist(tmp_path)
    assert str(caught.value) == f"{name}.gz is missing from {tmp_path}. {REPAIR}"
    assert "git checkout -- assets/data/mnist" in REPAIR


def test_truncated_file_is_named_with_the_command_that_restores_it(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(DamagedData) as caught:
        load_mnist(tmp_path)
    assert path.name in str(caught.value)
    assert str(caught.value).endswith(REPAIR)


def test_files_swapped_for_each_other_are_noticed(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").replace(tmp_path / "train-labels-idx1-ubyte.gz")
    with pytest.raises(DamagedData, match=r"train-labels-idx1-ubyte\.gz is damaged"):
        load_mnist(tmp_path)


def test_networks_see_pixels_between_zero_and_one(mnist: Dataset) -> None:
    before = mnist.test_images[:8].clone()
    x = as_input(mnist.test_images[:8])
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert (x.min().item(), x.max().item()) == (0.0, 1.0)
    assert torch.equal(x.mul(255).round().to(torch.uint8), before)
    assert torch.equal(mnist.test_images[:8], before)
