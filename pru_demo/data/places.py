"""Where data sets lie: what ships in the application's assets, all others in the data directory."""

import os
from collections.abc import Iterator
from pathlib import Path

from pru_demo.data.cifar import cifar_source
from pru_demo.data.idx import idx_source
from pru_demo.data.parquet import parquet_source
from pru_demo.data.published import PUBLISHED, Source
from pru_demo.data.spec import Arrays, DamagedData, Part
from pru_demo.paths import ASSETS

ENVIRONMENT_VARIABLE = "PRU_DATA_DIR"
RESTORE = "Restore it with: git checkout -- assets/data/mnist"


def data_directory() -> Path:
    """``PRU_DATA_DIR``, else a folder in the user's data directory, which may not exist yet.

    Raises :class:`DamagedData` when ``PRU_DATA_DIR`` names no folder: a typing error must not look
    like missing data.
    """
    if chosen := os.environ.get(ENVIRONMENT_VARIABLE):
        directory = Path(chosen).expanduser()
        if not directory.is_dir():
            raise DamagedData(
                f"{ENVIRONMENT_VARIABLE} names {directory}, which is not a folder: create it, or "
                "change or unset the variable."
            )
        return directory
    from platformdirs import user_data_path

    return user_data_path("pru-demo") / "data"


def find_source(name: str) -> Source | None:
    """The first place that has all files of the published data set ``name``.

    Raises :class:`DamagedData` when the data directory is needed and is not one.
    """
    return next((source for source in _sources(name) if not source.missing), None)


def read_published(name: str, part: Part) -> Arrays:
    """One part of the published data set ``name``.

    Raises :class:`DamagedData` when it is nowhere to be found, with how to get it, or damaged.
    """
    source = find_source(name)
    if source is None:
        raise DamagedData(how_to_get_published(name))
    return source.read(part)


def how_to_get_published(name: str) -> str:
    """One sentence; it names what is missing where there is an incomplete copy."""
    data = PUBLISHED[name]
    try:
        directory = data_directory()
        begun = next((source for source in _sources(name) if source.begun), None)
    except DamagedData as problem:
        return str(problem)
    if begun and begun.missing:
        return f"{begun.missing[0]} is missing from {begun.folder}. {begun.repair}"
    return (
        f"{data.label} is not here: put its files into {directory / name}, or run: {_command(name)}"
    )


def _sources(name: str) -> Iterator[Source]:
    data, repair = PUBLISHED[name], _repair(name)
    if name == "mnist":
        yield idx_source(ASSETS / "data" / name, data, RESTORE)
    directory = data_directory()
    yield torchvision_source(name, directory)
    if data.is_idx:
        yield idx_source(directory / name, data, repair)
    yield parquet_source(directory / name, data, repair)


def torchvision_source(name: str, root: Path) -> Source:
    """The data set below ``root`` where torchvision expects and leaves it."""
    data, repair = PUBLISHED[name], _repair(name)
    if data.is_idx:
        return idx_source(root / data.folder, data, repair)
    return cifar_source(root, data, repair)


def _repair(name: str) -> str:
    return f"Copy it there again, or run: {_command(name)}"


def _command(name: str) -> str:
    return f"python -m pru_demo data fetch {name}"
