"""A data set as tensors, what a network learns from, and how that becomes batches.

There is no loader and there are no workers: a batch is an index into one tensor on the device where
the images are, and random crops and flips are made for a whole batch at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data import DATASETS
from pru_demo.heartbeat import beat

Augment = Callable[[Tensor, torch.Generator], Tensor]

PADDING = 4


@dataclass(frozen=True)
class Dataset:
    """Images (N, C, H, W) and labels (N,), both uint8, in one tensor per part and device."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    def to(self, device: torch.device) -> "Dataset":
        return Dataset(
            self.train_images.to(device),
            self.train_labels.to(device),
            self.test_images.to(device),
            self.test_labels.to(device),
        )


@dataclass(frozen=True)
class Batch:
    """Which samples it has (B,), their inputs as networks want them, their labels (B,) as int64."""

    index: Tensor
    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.index)

    @property
    def inputs(self) -> Tensor:
        """What passes through the network: ``x``, and behind it what keeps it company."""
        return self.x


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

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Every sample once, ``size`` at a time, with a beat after each batch.

        ``generator``, on the CPU, decides the order and what the transform draws. A last batch of
        a single sample is joined to the one before it: it has no pairs, and BatchNorm over one
        vector raises.
        """
        order = torch.randperm(len(self), generator=generator)
        parts = list(torch.split(order, size))
        if len(parts) > 1 and len(parts[-1]) == 1:
            parts[-2:] = [torch.cat(parts[-2:])]
        for part in parts:
            index = part.to(self.labels.device)
            images = self.images[index]
            if self.augment is not None:
                images = self.augment(images, generator)
            yield Batch(index, as_input(images), self.labels[index].long())
            beat()


def as_input(images: Tensor) -> Tensor:
    """Images (B, C, H, W) → what the networks expect: float32 in 0..1, channels last.

    uint8 is scaled; floats are taken as they are. What is no image (B, …) keeps its layout.
    """
    if not images.is_floating_point():
        images = images.float().div_(255)
    if images.ndim != 4:
        return images
    return images.contiguous(memory_format=torch.channels_last)


def seeded(*numbers: int) -> torch.Generator:
    """A CPU generator whose stream is decided by ``numbers`` (seed, epoch, …)."""
    state = 0
    for number in numbers:
        # A fixed odd multiplier keeps (1, 2) and (2, 1) apart; torch wants a 63-bit seed.
        state = (state * 1_000_003 + number + 1) % (2**63)
    return torch.Generator().manual_seed(state)


def augment_of(dataset: str) -> Augment | None:
    """The transform with which networks learn this data; None for fixed images."""
    return crop_and_flip if DATASETS[dataset].augment else None


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
