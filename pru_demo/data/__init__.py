"""Which images exist: the published data sets, and those of one's own in the data directory.

Listing data sets needs no torch, and neither does reading images for a page: only
:func:`load_dataset` makes tensors. The data sets of one's own are found when the process starts.
"""

from __future__ import annotations

import logging
from functools import lru_cache, partial
from threading import Lock
from typing import TYPE_CHECKING

from pru_demo.data.own import own_data_sets
from pru_demo.data.places import data_directory, find_source, how_to_get_published, read_published
from pru_demo.data.published import PUBLISHED
from pru_demo.data.spec import Arrays, DamagedData, DatasetSpec, Part

if TYPE_CHECKING:
    from pathlib import Path

    from pru_demo.data.samples import Dataset

__all__ = [
    "DATASETS",
    "DatasetSpec",
    "Part",
    "available",
    "how_to_get",
    "load_dataset",
    "location",
    "note_of",
    "read_part",
]

_log = logging.getLogger(__name__)


def _own() -> dict[str, DatasetSpec]:
    try:
        return own_data_sets(data_directory(), PUBLISHED)
    except DamagedData as problem:
        # MNIST works without the data directory; who needs another data set is told again.
        _log.warning(str(problem))
        return {}


DATASETS: dict[str, DatasetSpec] = {
    name: data.spec(partial(read_published, name)) for name, data in PUBLISHED.items()
} | _own()

_readers: dict[tuple[str, Part], Lock] = {}


def read_part(name: str, part: Part) -> Arrays:
    """Images (N, C, H, W) and labels (N,), uint8, read once per process; treat them as constants.

    Raises :class:`pru_demo.data.spec.DamagedData` when they are missing, with how to get them, or
    damaged.
    """
    # A class that opens a page at once waits for one reader instead of decoding sixty times.
    with _readers.setdefault((name, part), Lock()):
        return _read_part(name, part)


@lru_cache(maxsize=4)
def _read_part(name: str, part: Part) -> Arrays:
    return DATASETS[name].read(part)


@lru_cache(maxsize=2)
def load_dataset(name: str) -> Dataset:
    """The data set registered as ``name``, on the CPU; read once per process.

    Raises what :func:`read_part` raises.
    """
    import torch

    from pru_demo.data.samples import Dataset

    train, test = read_part(name, "train"), read_part(name, "test")
    return Dataset(*map(torch.from_numpy, (*train, *test)))


def location(name: str) -> Path | None:
    """The folder that has all files of the data set, or None; nothing is decoded."""
    try:
        if name in PUBLISHED:
            source = find_source(name)
            return source.folder if source else None
        folder = data_directory() / name
    except DamagedData:
        return None
    return folder if folder.is_dir() else None


def available(name: str) -> bool:
    """Whether the data set can be read now, as far as that is known without decoding."""
    return location(name) is not None


def how_to_get(name: str) -> str:
    """One sentence: which command fetches the data set, or where to put its files."""
    if name in PUBLISHED:
        return how_to_get_published(name)
    return f"The folder of {name} was in the data directory when this process started: put it back."


def note_of(name: str) -> str:
    """What must be said wherever results on this copy of the data set are shown, or ""."""
    try:
        source = find_source(name) if name in PUBLISHED else None
        return source.note() if source else ""
    except DamagedData:
        # Whoever reads the data is told.
        return ""
