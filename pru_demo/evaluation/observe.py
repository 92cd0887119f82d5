"""Everything that is measured on one snapshot of a network, in one pass over the test images."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pru_demo.models.predict import measuring
from pru_demo.models.split import SplitModel


@dataclass(frozen=True)
class TestSet:
    """Test images (N, C, H, W) and labels (N,) to measure on.

    ``shown`` (n,) are the rows that the pages follow, ``published`` (n,) int32 their indices in
    the test part as published.
    """

    images: Tensor
    labels: Tensor
    shown: Tensor
    published: NDArray[np.int32]


@dataclass(frozen=True)
class Observation:
    """One snapshot.

    ``confusion`` (K, K) counts true class × predicted class over the whole test set;
    ``features`` (n, d) float16 and ``probabilities`` (n, K) float32 are of the shown samples.
    """

    confusion: NDArray[np.int32]
    features: NDArray[np.float16]
    probabilities: NDArray[np.float32]

    def accuracies(self, forget: Collection[int]) -> tuple[float, float]:
        """A_f and A_r in percent: correct among the forgotten and among the other classes."""
        forgotten = np.isin(np.arange(len(self.confusion)), list(forget))
        correct, total = self.confusion.diagonal(), self.confusion.sum(1)
        a_f, a_r = (
            100 * float(correct[part].sum()) / float(total[part].sum())
            for part in (forgotten, ~forgotten)
        )
        return a_f, a_r

    @property
    def diverged(self) -> bool:
        """Whether the network's outputs are no longer numbers: it cannot recover from that."""
        return not np.isfinite(self.probabilities).all()

    def problem(self) -> str | None:
        """Why this network is broken rather than forgetful, or None."""
        if self.diverged:
            return "its outputs are no longer numbers"
        predicted = np.flatnonzero(self.confusion.sum(0))
        if len(predicted) == 1:
            return f"it answers {predicted[0]} whatever it sees"
        return None


@torch.inference_mode()
def observe(model: SplitModel, test: TestSet) -> Observation:
    """Measure ``model`` in eval mode; its train/eval mode is put back afterwards."""
    features, logits = [], []
    for x in measuring(model, test.images):
        features.append(model.features(x))
        logits.append(model.classify(features[-1]).float())
    s = torch.cat(logits)
    classes = s.shape[1]
    cells = test.labels.long() * classes + s.argmax(1)
    confusion = torch.bincount(cells, minlength=classes**2).reshape(classes, classes)
    return Observation(
        confusion.cpu().numpy().astype(np.int32),
        torch.cat(features)[test.shown].half().cpu().numpy(),
        s[test.shown].softmax(1).cpu().numpy(),
    )
