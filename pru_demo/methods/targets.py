"""p̃ for every batch: computed once where that is exact, else from the original each time."""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor

from pru_demo.data.samples import Batch
from pru_demo.methods.losses import redistribute
from pru_demo.methods.step import ForgetSet
from pru_demo.models.predict import predict
from pru_demo.models.split import SplitModel

# A batch → its p̃ (B, K)
Targets = Callable[[Batch], Tensor]


def redistributed_targets(original: SplitModel, forget: ForgetSet) -> tuple[Targets, int, int]:
    """Eq. 1–2 of the original network in eval mode.

    Returns the targets, the forward-equivalents spent beforehand, and those spent per image later.
    """
    if forget.augment is None:
        # Fixed images through a fixed network: the targets never change.
        known = redistribute(predict(original, forget.images), forget.classes)
        return lambda batch: known[batch.index], len(forget), 0

    teacher = deepcopy(original).eval().requires_grad_(False)

    def ask(batch: Batch) -> Tensor:
        with torch.no_grad():
            return redistribute(teacher(batch.x).float(), forget.classes)

    return ask, 0, 1
