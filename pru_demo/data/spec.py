"""What the application knows of a data set without reading it, and the words for reading one."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Part: TypeAlias = Literal["train", "test"]
PARTS: tuple[Part, Part] = ("train", "test")

# Images (N, C, H, W) and labels (N,), both uint8.
Arrays: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Reader: TypeAlias = Callable[[Part], Arrays]


class DamagedData(ValueError):
    """A data file is missing, incomplete or changed; the message says which and what to do."""


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """A data set by its facts, and how it is read.

    Attributes:
        label: its name in sentences.
        class_names: in the order of the labels.
        channels: 1 (grey) or 3 (colour).
        image_size: side of the square images in pixels, a multiple of 4.
        train_size: number of training images.
        read: one part; raises :class:`DamagedData` when it cannot.
        mean: of each channel, for pixels in 0..1; None where networks get plain pixels.
        std: of each channel, or None.
        augment: whether training sees random crops and mirror images.
        drawable: whether a digit drawn in the browser is an image of this kind.
        white_ink: whether images are white on black, which pages show as dark on light.
    """

    label: str
    class_names: tuple[str, ...]
    channels: int
    image_size: int
    train_size: int
    read: Reader
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    augment: bool = False
    drawable: bool = False
    white_ink: bool = False


@dataclass(frozen=True)
class StoredPart:
    """A part of a data set stored as encoded pictures: labels are known, no picture is opened yet.

    Attributes:
        labels: (N,) as stored, N > 0.
        class_names: in the order of the labels, or None if only numbers are known.
        pictures: yields N pairs of where a picture lies, for messages, and its file's content.
    """

    labels: NDArray[np.int64]
    class_names: tuple[str, ...] | None
    pictures: Callable[[], Generator[tuple[str, bytes], None, None]]
