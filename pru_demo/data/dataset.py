"""A data set as four tensors, and how its images become a batch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pru_demo.data.augment import Augment


@dataclass(frozen=True)
class Dataset:
    """Images (N, C, H, W) and labels (N,), both uint8, in one tensor per part and device."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    def to(self, device: torch.device) -> "Dataset":
        """The same data on ``device``."""
        return Dataset(
            self.train_images.to(device),
            self.train_labels.to(device),
            self.test_images.to(device),
            self.test_labels.to(device),
        )


@dataclass(frozen=True)
class Samples:
    """Images (N, C, H, W) and labels (N,) to learn from, with the transform used meanwhile.

    Images are uint8, or floats in 0..1. ``augment`` is None where every epoch sees the same
    images, which is what makes it exact to compute targets only once.
    """

    images: Tensor
    labels: Tensor
    augment: Augment | None = None

    def __len__(self) -> int:
        return len(self.images)

    def inputs(self, index: Tensor, generator: torch.Generator) -> Tensor:
        """The batch of ``index``, transformed, as :func:`as_input` gives it."""
        images = self.images[index]
        if self.augment is not None:
            images = self.augment(images, generator)
        return as_input(images)


def as_input(images: Tensor) -> Tensor:
    """Images (B, C, H, W) → what the networks expect: float32 in 0..1, channels last.

    uint8 is scaled; floats are taken as they are. What is no image (B, …) keeps its layout.
    """
    if not images.is_floating_point():
        images = images.float().div_(255)
    if images.ndim != 4:
        return images
    return images.contiguous(memory_format=torch.channels_last)
