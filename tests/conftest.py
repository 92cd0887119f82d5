"""A network small enough to train while you blink, and a few real images. Torch only if asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

# The machine that runs the tests may be training something at the same time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

if TYPE_CHECKING:
    from torch import Tensor

    from pru_demo.data.samples import Dataset
    from pru_demo.models.split import SplitModel

Few = Callable[..., "tuple[Tensor, Tensor]"]

# Files that share something dear, by the process that runs them where there are several: Chromium,
# and umap-learn, which compiles for half a minute in each process.
SHARED = {"tests/browser/": "chromium", "umap": "umap", "tests/projection/": "umap"}


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file together, so that what they share is made once."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        group = next((name for part, name in SHARED.items() if part in file), file)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch on a single thread, whatever was set before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    """The real data set, as shipped."""
    from pru_demo.data import load_dataset

    return load_dataset("mnist")


@pytest.fixture(scope="session")
def few(mnist: Dataset) -> Few:
    """``few(per_class, classes)``: the first training images of each class, and their labels."""
    import torch

    def pick(per_class: int, classes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        parts = [torch.nonzero(mnist.train_labels == c).flatten()[:per_class] for c in classes]
        index = torch.cat(parts)
        return mnist.train_images[index], mnist.train_labels[index]

    return pick


def make_tiny_model(seed: int = 0, classes: int = 10) -> SplitModel:
    """Conv + BatchNorm + ReLU → 16 features → ``classes``; fresh weights."""
    import torch
    from torch import nn

    from pru_demo.models.split import SplitModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        extractor = nn.Sequential(
            nn.Conv2d(1, 4, 5, stride=4, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.AvgPool2d(3),
            nn.Flatten(),
        )
        return SplitModel(extractor, nn.Linear(16, classes))


@pytest.fixture(scope="session")
def _trained(few: Few) -> SplitModel:
    from pru_demo.data.samples import Samples
    from pru_demo.parameters import TrainingParams
    from pru_demo.training import train

    model = make_tiny_model()
    params = TrainingParams(epochs=6, learning_rate=0.05, weight_decay=0.0, batch_size=32)
    for _ in train(model, Samples(*few(60, tuple(range(10)))), params, seed=0):
        pass
    return model


@pytest.fixture
def tiny(_trained: SplitModel, one_thread: None) -> SplitModel:
    """A tiny network that has learned the ten digits a little; every test gets its own copy."""
    from copy import deepcopy

    return deepcopy(_trained).eval()
