"""A data directory for each test, and published data sets of thirty images."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pru_demo.data import _read_part, published
from pru_demo.data.published import PUBLISHED

SMALL = {"train": 20, "test": 10}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """``PRU_DATA_DIR``, empty; nothing that was read from it is remembered."""
    directory = tmp_path / "data"
    directory.mkdir()
    monkeypatch.setenv("PRU_DATA_DIR", str(directory))
    _read_part.cache_clear()
    yield directory
    _read_part.cache_clear()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """All published data sets have 20 + 10 images and no checksums."""
    monkeypatch.setattr(published, "TEST_SIZE", SMALL["test"])
    for name, data in PUBLISHED.items():
        monkeypatch.setitem(PUBLISHED, name, replace(data, train_size=SMALL["train"], md5={}))
