"""CIFAR as published: pickles, which only torchvision opens, after it has checked their checksums.

Reading them imports torch, also in the web process; nothing else in this package does.
"""

from pathlib import Path

import numpy as np

from pru_demo.data.published import Published, Source, checked
from pru_demo.data.spec import Arrays, DamagedData, Part

_FILES = {
    "CIFAR10": (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"),
    "CIFAR100": ("train", "test", "meta"),
}


def cifar_source(root: Path, data: Published, repair: str) -> Source:
    """The files below ``root``; ``repair`` is the sentence that tells how to replace one."""
    folder = root / data.folder
    needed = _FILES[data.torchvision]
    missing = tuple(name for name in needed if not (folder / name).is_file())

    def read(part: Part) -> Arrays:
        from torchvision import datasets

        try:
            stored = getattr(datasets, data.torchvision)(root, train=part == "train")
        # What torchvision raises when a checksum is not the published one.
        except (RuntimeError, OSError) as error:
            raise DamagedData(
                f"The files in {folder} are damaged: their checksums are not the published ones. "
                f"{repair}"
            ) from error
        images = np.ascontiguousarray(np.moveaxis(stored.data, 3, 1))
        return checked(images, np.asarray(stored.targets), data, part, folder, repair)

    return Source(folder, missing, len(missing) < len(needed), repair, read)
