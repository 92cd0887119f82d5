"""Gradient ascent on the forgotten images: the simplest thing one could try."""

from collections.abc import Iterator
from copy import deepcopy

import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import Batch
from pru_demo.methods.fine_tuning import fine_tune
from pru_demo.methods.step import ForgetSet, Resume, Step
from pru_demo.models.split import SplitModel
from pru_demo.parameters import NegativeGradientParams


def negative_gradient(
    original: SplitModel,
    forget: ForgetSet,
    params: NegativeGradientParams,
    resume: Resume | None = None,
) -> Iterator[Step]:
    """Raise the cross-entropy of the true labels on D_f, yielding after every epoch.

    The cross-entropy has no upper bound, so a sample stops counting once its own reaches
    ``params.loss_cap``; without that the network is soon destroyed. ``original`` is not changed.
    """

    def capped(logits: Tensor, batch: Batch) -> Tensor:
        each = F.cross_entropy(logits, batch.y, reduction="none")
        return -each.clamp(max=params.loss_cap).mean()

    name = "negative cross-entropy"
    return fine_tune(deepcopy(original), forget, params, resume, capped, name=name)
