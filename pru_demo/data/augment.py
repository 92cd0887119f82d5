"""Random crops and flips of a whole batch at once, on the device where the images are."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data import DATASETS

Augment = Callable[[Tensor, torch.Generator], Tensor]
PADDING = 4


def crop_and_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift each image by up to four pixels (black comes in) and mirror every second one.

    uint8 images (B, C, H, W), a new tensor of the same shape; what torchvision's
    ``RandomCrop(padding=4)`` and ``RandomHorizontalFlip`` do to single images. ``generator`` lives
    on the CPU, so that a seed gives the same crops on every device.
    """
    count, channels, height, width = images.shape
    shifts = torch.randint(0, 2 * PADDING + 1, (2, count, 1), generator=generator)
    mirrored = torch.rand(count, 1, generator=generator) < 0.5
    rows = shifts[0] + torch.arange(height)
    columns = torch.arange(width)
    columns = shifts[1] + torch.where(mirrored, columns.flip(0), columns)

    padded = F.pad(images, (PADDING,) * 4)
    device = images.device
    return padded[
        torch.arange(count, device=device)[:, None, None, None],
        torch.arange(channels, device=device)[None, :, None, None],
        rows.to(device)[:, None, :, None],
        columns.to(device)[:, None, None, :],
    ]


def augment_of(dataset: str) -> Augment | None:
    """The transform with which networks learn this data; None for fixed images."""
    return crop_and_flip if DATASETS[dataset].augment else None
