"""MNIST, complete and canonical, as shipped in ``assets/data/mnist``."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pru_demo.data.dataset import Dataset
from pru_demo.data.mnist_files import read_part
from pru_demo.paths import ASSETS


def load_mnist(directory: Path = ASSETS / "data" / "mnist") -> Dataset:
    """Read and check all four files.

    Raises :class:`pru_demo.data.idx.DamagedData` when one is missing or changed.
    """
    train_images, train_labels = (_tensor(read_part(directory, part)) for part in _parts("train"))
    test_images, test_labels = (_tensor(read_part(directory, part)) for part in _parts("t10k"))
    return Dataset(train_images.unsqueeze(1), train_labels, test_images.unsqueeze(1), test_labels)


def _parts(prefix: str) -> tuple[str, str]:
    return f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"


def _tensor(array: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(array)
