"""Downloads published data sets through torchvision, which knows addresses and checksums."""

import http.client
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

from pru_demo.data.places import RESTORE, data_directory, find_source, torchvision_source
from pru_demo.data.published import PUBLISHED, Source
from pru_demo.data.spec import PARTS, DamagedData

# Beside the data sets, so that what is complete only needs to be renamed. Hidden, so that nobody
# takes it for one.
STAGING = ".fetch"

_DOWNLOAD_ERRORS = (
    *(OSError, RuntimeError, EOFError, zlib.error),
    *(http.client.HTTPException, tarfile.TarError),
)


class FetchFailed(OSError):
    """The data set did not arrive; the message is a sentence for who asked for it."""


def fetch(name: str, say: Callable[[str], None] = lambda _: None) -> Path:
    """Bring the published data set ``name`` into the data directory, unless it is here already.

    ``say`` is told what happens; torchvision draws progress bars on stderr. Returns the folder.
    Archives that an interrupted call had finished are not downloaded again.

    Raises :class:`FetchFailed` when that fails, and :class:`DamagedData` when the data directory is
    not one or what ships with the application is damaged.
    """
    data = PUBLISHED[name]
    directory = data_directory()
    here = find_source(name)
    if here and _is_sound(here):
        say(f"{data.label} is already in {here.folder}")
        return here.folder
    staging = directory / STAGING / name
    target = directory / data.folder
    say(f"Downloading {data.label} into {target}")
    try:
        # Unpacking may have been interrupted, and torchvision would take any file for a good one.
        _drop_unpacked(staging / data.folder)
        staging.mkdir(parents=True, exist_ok=True)
        _download(data.torchvision, staging)
        source = torchvision_source(name, staging)
        for part in PARTS:
            source.read(part)
        _move(source.folder, target)
        shutil.rmtree(staging)
    except DamagedData as problem:
        shutil.rmtree(staging, ignore_errors=True)
        raise FetchFailed(f"{data.label} arrived damaged: run the same command again.") from problem
    except _DOWNLOAD_ERRORS as problem:
        raise FetchFailed(
            f"{data.label} could not be downloaded ({_reason(problem)}). Check the connection and "
            "the space on the disk, and run the same command again."
        ) from problem
    return target


def _is_sound(source: Source) -> bool:
    """Whether all of it can be read; raises if not and a download could not mend that."""
    try:
        for part in PARTS:
            source.read(part)
    except DamagedData:
        if source.repair == RESTORE:
            raise
        return False
    return True


def _download(torchvision_name: str, root: Path) -> None:
    from torchvision import datasets

    getattr(datasets, torchvision_name)(root, download=True)


def _drop_unpacked(folder: Path) -> None:
    """Keep archives only: their checksums are checked before they are used again."""
    for path in folder.glob("*"):
        if path.suffix != ".gz":
            path.unlink()


def _move(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.suffix != ".gz":
            path.replace(target / path.name)


def _reason(problem: BaseException) -> str:
    """The last line: torchvision's messages list every address it tried."""
    lines = [line for line in str(problem).splitlines() if line.strip()]
    return lines[-1].strip(" <>.") if lines else type(problem).__name__
