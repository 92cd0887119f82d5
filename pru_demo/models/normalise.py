"""Subtracting the mean and dividing by the deviation, as a layer.

As part of the network it needs no care elsewhere: images are pixels in 0..1 everywhere, and an
adversarial step of 0.1 is a tenth of the pixel range on every data set.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pru_demo.models.split import SplitModel


class Normalise(nn.Module):
    """``(x - mean) / std`` per channel. The constants are no weights, so no checkpoint has them."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Pixels (B, C, H, W) in 0..1 → normalised images."""
        return (images - self.mean) / self.std


def normalised(network: SplitModel, mean: Sequence[float], std: Sequence[float]) -> SplitModel:
    """``network`` behind a normalisation of its input."""
    extractor = nn.Sequential(Normalise(mean, std), network.extractor)
    return SplitModel(extractor, network.classifier)
