"""Data sets of one's own: folders in the data directory, each a data set by its name.

Looking for them opens the header of one picture each and, for Parquet, reads the labels.
"""

import logging
import re
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import numpy as np

from pru_demo.data.folders import folder_part
from pru_demo.data.parquet import parquet_files, parquet_part
from pru_demo.data.spec import Arrays, DamagedData, DatasetSpec, Part, StoredPart

FEWEST_CLASSES, MOST_CLASSES = 3, 256
SMALLEST_SIDE, LARGEST_SIDE = 16, 224
# All training images lie in memory at once.
MOST_BYTES = 4 * 1024**3
LONGEST_CLASS_NAME = 40

_NAME = re.compile(r"[a-z0-9-]{1,40}")
_REPAIR = "Correct that and start again."

_log = logging.getLogger(__name__)


def own_data_sets(directory: Path, reserved: Collection[str]) -> dict[str, DatasetSpec]:
    """The data sets in ``directory`` by name; ``reserved`` names are not looked at.

    A folder that cannot be used is skipped, with a sentence in the log.
    """
    try:
        folders = sorted(path for path in directory.iterdir() if path.name not in reserved)
    except OSError:
        # No directory, no data sets of one's own.
        return {}
    data_sets = {}
    for folder in filter(_holds_training_data, folders):
        try:
            data_sets[folder.name] = _examined(folder)
        except DamagedData as problem:
            _log.warning("The data set %s is not offered. %s", folder.name, problem)
    return data_sets


def _holds_training_data(folder: Path) -> bool:
    is_hidden = folder.name.startswith(".")
    return not is_hidden and ((folder / "train").is_dir() or bool(parquet_files(folder, "train")))


def _examined(folder: Path) -> DatasetSpec:
    from pru_demo.data.pictures import decode_part, form_of

    if not _NAME.fullmatch(folder.name):
        raise DamagedData(
            f"{folder} must be called by up to 40 lower-case letters, digits and hyphens. {_REPAIR}"
        )
    train = _stored(folder, "train")
    names = _class_names(train)
    _check_classes(train, "train", names, folder)
    _check_classes(_stored(folder, "test"), "test", names, folder)
    with closing(train.pictures()) as pictures:
        where, content = next(pictures)
    channels, side = form_of(content, where, _REPAIR)
    size = min(max(side // 4 * 4, SMALLEST_SIDE), LARGEST_SIDE)
    count = len(train.labels)
    if count * channels * size**2 > MOST_BYTES:
        raise DamagedData(
            f"{folder} needs more than {MOST_BYTES // 1024**3} GB of memory: use fewer or smaller "
            "pictures and start again."
        )

    def read(part: Part) -> Arrays:
        """What was found when the process started must still be there."""
        stored = _stored(folder, part)
        _check_classes(stored, part, names, folder)
        if part == "train" and len(stored.labels) != count:
            raise DamagedData(f"The pictures in {folder} have changed: start again.")
        images = decode_part(stored, channels, size, _REPAIR, fit=True)
        return images, stored.labels.astype(np.uint8)

    return DatasetSpec(
        label=folder.name,
        class_names=names,
        channels=channels,
        image_size=size,
        train_size=count,
        read=read,
    )


def _stored(folder: Path, part: Part) -> StoredPart:
    read = parquet_part if parquet_files(folder, "train") else folder_part
    return read(folder, part, _REPAIR)


def _class_names(stored: StoredPart) -> tuple[str, ...]:
    """The names, made short; numbers where there are none or they are not all different."""
    count = min(int(stored.labels.max()), MOST_CLASSES) + 1
    given = stored.class_names or ("",) * count
    names = tuple(" ".join(name.split())[:LONGEST_CLASS_NAME] for name in given)
    is_usable = all(names) and len(set(names)) == len(names)
    return names if is_usable else tuple(map(str, range(len(names))))


def _check_classes(stored: StoredPart, part: Part, names: tuple[str, ...], folder: Path) -> None:
    """Raise DamagedData unless ``part`` has pictures of all classes and of no others."""
    problem = ""
    if not FEWEST_CLASSES <= len(names) <= MOST_CLASSES:
        problem = f"fewer than {FEWEST_CLASSES} or more than {MOST_CLASSES} classes"
    elif stored.class_names and _class_names(stored) != names:
        problem = f"other classes in {part} than train had at the start"
    elif stored.labels.min() < 0 or stored.labels.max() >= len(names):
        problem = f"labels in {part} that are not 0 to {len(names) - 1}"
    elif without := set(range(len(names))) - set(np.unique(stored.labels).tolist()):
        problem = f"no picture of {names[min(without)]} in {part}"
    if problem:
        raise DamagedData(f"{folder} has {problem}. {_REPAIR}")
