"""What losses were on average over an epoch, without asking the device after every batch."""

from collections import Counter

import torch
from torch import Tensor


class Means:
    """Means over batches of losses that stay on the device until asked for (no sync per batch)."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: Counter[str] = Counter()

    def add(self, losses: dict[str, Tensor]) -> None:
        for name, loss in losses.items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(loss)) + loss.detach()
        self._counts.update(losses.keys())

    def values(self) -> dict[str, float]:
        # A batch without pairs or with one cluster does not count for the loss that it lacks.
        return {name: (total / self._counts[name]).item() for name, total in self._sums.items()}
