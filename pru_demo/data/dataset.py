"""A data set as four tensors and a few facts about it."""

from dataclasses import dataclass

import torch
from torch import Tensor


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


def as_input(images: Tensor) -> Tensor:
    """uint8 images (B, C, H, W) → what the networks expect: float32 in 0..1, channels last."""
    return images.float().div_(255).contiguous(memory_format=torch.channels_last)
