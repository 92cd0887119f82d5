"""A classifier cut in two: feature extractor E and last linear layer C.

Also what all networks have in common beside that cut: BatchNorm, which may be frozen, and the
normalisation of their input.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

BatchNormMode = Literal["train", "frozen"]


class SplitModel(nn.Module):
    """``logits = C(E(x))``. The halves are known by identity, never by a parameter's name."""

    def __init__(self, extractor: nn.Module, classifier: nn.Linear) -> None:
        super().__init__()
        self.extractor = extractor
        self.classifier = classifier

    def features(self, images: Tensor) -> Tensor:
        """E: images (B, C, H, W) → features e (B, d)."""
        features: Tensor = self.extractor(images)
        return features

    def classify(self, features: Tensor) -> Tensor:
        """C: features (B, d) → logits (B, K)."""
        logits: Tensor = self.classifier(features)
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) → logits (B, K)."""
        return self.classify(self.features(images))

    def extractor_parameters(self) -> list[nn.Parameter]:
        """θ_E."""
        return list(self.extractor.parameters())

    def classifier_parameters(self) -> list[nn.Parameter]:
        """θ_C."""
        return list(self.classifier.parameters())


def has_batch_norm(model: nn.Module) -> bool:
    """Whether there are running statistics, and so something for BatchNorm to hide."""
    return any(True for _ in batch_norms(model))


def batch_norms(model: nn.Module) -> Iterator[_BatchNorm]:
    """All BatchNorm layers of ``model``."""
    return (module for module in model.modules() if isinstance(module, _BatchNorm))


def training_mode(model: nn.Module, batch_norm: BatchNormMode) -> None:
    """Put ``model`` into train mode; ``frozen`` leaves BatchNorm on its running statistics.

    To be called before every epoch: measuring in between puts all layers back into train mode.
    """
    model.train()
    if batch_norm == "frozen":
        for layer in batch_norms(model):
            layer.eval()


class Normalise(nn.Module):
    """``(x - mean) / std`` per channel. The constants are no weights, so no checkpoint has them.

    As part of the network it needs no care elsewhere: images are pixels in 0..1 everywhere, and an
    adversarial step of 0.1 is a tenth of the pixel range on every data set.
    """

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
