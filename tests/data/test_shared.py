"""Fashion-MNIST and CIFAR-10 as developers have them: complete, and each class as large as said."""

import os
from pathlib import Path

import numpy as np
import pytest

from pru_demo.data import DATASETS, location, note_of, read_part
from pru_demo.data.parquet import JPEG_NOTE
from pru_demo.data.spec import PARTS
from pru_demo.paths import ROOT

SHARED = Path(os.environ.get("PRU_SHARED_DATA", ROOT.parent / "shared" / "data"))

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"no {SHARED}; PRU_SHARED_DATA names another folder"
)


@pytest.fixture(autouse=True)
def _shared(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRU_DATA_DIR", str(SHARED))


@pytest.mark.parametrize("name", ["fashion-mnist", "cifar10"])
def test_all_images_of_all_classes_are_there(name: str) -> None:
    spec = DATASETS[name]
    assert location(name) == SHARED / name
    for part, count in zip(PARTS, (spec.train_size, 10_000), strict=True):
        images, labels = read_part(name, part)
        assert images.shape == (count, spec.channels, spec.image_size, spec.image_size)
        assert np.bincount(labels).tolist() == [count // 10] * 10


def test_only_the_reencoded_copy_carries_a_note() -> None:
    assert note_of("cifar10") == JPEG_NOTE
    assert note_of("fashion-mnist") == ""


def test_the_published_mean_is_that_of_the_images() -> None:
    images, _ = read_part("cifar10", "test")
    mean = (images / np.float32(255)).mean(axis=(0, 2, 3))
    # The published one is of the training part.
    assert mean == pytest.approx(DATASETS["cifar10"].mean, abs=0.005)
