"""A part of a data set that is stored as encoded pictures, one file or table row each."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StoredPart:
    """Labels are known, pictures not opened yet.

    Attributes:
        labels: (N,) as stored, N > 0.
        class_names: in the order of the labels, or None if only numbers are known.
        pictures: yields N pairs of where a picture lies, for messages, and its file's content.
    """

    labels: NDArray[np.int64]
    class_names: tuple[str, ...] | None
    pictures: Callable[[], Generator[tuple[str, bytes], None, None]]
