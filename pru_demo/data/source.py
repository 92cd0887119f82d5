"""One place in which a published data set may lie."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pru_demo.data.idx import DamagedData
from pru_demo.data.published import Published
from pru_demo.data.spec import Arrays, Part, Reader


@dataclass(frozen=True)
class Source:
    """A folder in one of the layouts.

    Attributes:
        folder: where the files lie.
        missing: the files that are not there; the data set can be read if there are none.
        begun: whether any of its files is there.
        repair: the sentence that tells how to replace one.
        read: reads a part, or raises :class:`DamagedData`.
        note: what a reader of results must know of this copy, or "".
    """

    folder: Path
    missing: tuple[str, ...]
    begun: bool
    repair: str
    read: Reader
    note: Callable[[], str] = lambda: ""


def checked(
    images: NDArray[np.uint8],
    labels: NDArray[np.integer],
    data: Published,
    part: Part,
    folder: Path,
    repair: str,
) -> Arrays:
    """``images`` (N, C, H, W) and ``labels`` (N,), if they are what is published of ``part``.

    Raises :class:`DamagedData` otherwise.
    """
    shape = (data.size(part), data.channels, data.image_size, data.image_size)
    classes = len(data.class_names)
    if images.shape != shape or labels.shape != shape[:1]:
        problem = f"images {images.shape} and labels {labels.shape}, not {shape} and {shape[:1]}"
    elif labels.min() < 0 or labels.max() >= classes:
        problem = f"labels from {labels.min()} to {labels.max()}, not 0 to {classes - 1}"
    else:
        return images, labels.astype(np.uint8)
    raise DamagedData(f"The {part} part of {data.label} in {folder} has {problem}. {repair}")
