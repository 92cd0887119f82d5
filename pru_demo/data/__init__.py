"""Which images exist. A new data set is one file and one line in :data:`DATASETS`.

Listing data sets needs no torch; loading one does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pru_demo.data.dataset import Dataset


@dataclass(frozen=True)
class DatasetSpec:
    """What the application knows of a data set without reading it."""

    label: str
    class_names: tuple[str, ...]
    channels: int
    image_size: int
    train_size: int
    load: Callable[[], Dataset]


def _load_mnist() -> Dataset:
    from pru_demo.data.mnist import load_mnist

    return load_mnist()


DATASETS: dict[str, DatasetSpec] = {
    "mnist": DatasetSpec("MNIST", tuple("0123456789"), 1, 28, 60_000, _load_mnist),
}


@lru_cache(maxsize=2)
def load_dataset(name: str) -> Dataset:
    """The data set registered as ``name``, on the CPU; read once per process.

    Raises :class:`pru_demo.data.idx.DamagedData` when a file is missing or changed.
    """
    return DATASETS[name].load()
