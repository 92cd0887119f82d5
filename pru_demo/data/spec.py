"""What the application knows of a data set without reading it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Part: TypeAlias = Literal["train", "test"]
PARTS: tuple[Part, Part] = ("train", "test")

# Images (N, C, H, W) and labels (N,), both uint8.
Arrays: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Reader: TypeAlias = Callable[[Part], Arrays]


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """A data set by its facts, and how it is read.

    Attributes:
        label: its name in sentences.
        class_names: in the order of the labels.
        channels: 1 (grey) or 3 (colour).
        image_size: side of the square images in pixels, a multiple of 4.
        train_size: number of training images.
        read: one part; raises :class:`pru_demo.data.idx.DamagedData` when it cannot.
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
