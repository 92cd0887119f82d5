"""The layout of torchvision's ImageFolder: ``train/<class>/*.png``, ``test/<class>/*.png``."""

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from pru_demo.data.spec import DamagedData, Part, StoredPart

SUFFIXES = (".png", ".jpg", ".jpeg")


def folder_part(folder: Path, part: Part, repair: str) -> StoredPart:
    """The pictures of ``part``; classes are the folders in it, in alphabetical order.

    Raises :class:`DamagedData` when there is no such folder, or none of its folders has pictures.
    """
    try:
        folders = sorted(path for path in _shown(folder / part) if path.is_dir())
        files = [sorted(p for p in _shown(f) if p.suffix.lower() in SUFFIXES) for f in folders]
    except OSError as error:
        problem = f"{folder / part} cannot be listed ({error.strerror})"
        raise DamagedData(f"{problem}. {repair}") from error
    labels = np.repeat(np.arange(len(files)), [len(each) for each in files])
    if not len(labels):
        raise DamagedData(f"{folder / part} has no folders of pictures. {repair}")
    in_order = list(chain.from_iterable(files))
    return StoredPart(labels, tuple(f.name for f in folders), partial(_contents, in_order, repair))


def _shown(folder: Path) -> Iterator[Path]:
    """Not what is hidden: file managers and synchronisers leave such files beside pictures."""
    return (path for path in folder.iterdir() if not path.name.startswith("."))


def _contents(files: Sequence[Path], repair: str) -> Generator[tuple[str, bytes], None, None]:
    for path in files:
        try:
            yield str(path), path.read_bytes()
        except OSError as error:
            raise DamagedData(f"{path} cannot be read ({error.strerror}). {repair}") from error
