"""Can the class be remembered from data that does not contain it?

Relearning trains the unlearned network on D_r_new, new images of the *other* classes, as any
operator would after deployment (Section 3.2 of the paper). If A_f comes back, the class was hidden
rather than forgotten. :func:`batch_norm_only` is the control that the paper lacks.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from pru_demo.batches import seeded, shuffled
from pru_demo.data.dataset import as_input
from pru_demo.models.split import SplitModel
from pru_demo.relearning_epochs import EPOCHS
from pru_demo.training import TrainingParams, make_sgd, train_epoch

# Released code, train_relearn.py: the original's optimiser with a learning rate of 1e-3.
SETTINGS = TrainingParams(epochs=EPOCHS, learning_rate=1e-3, weight_decay=1e-4)


@dataclass(frozen=True)
class RelearnedEpoch:
    """State after one epoch on D_r_new. ``model`` is the working copy: look, do not keep."""

    epoch: int
    loss: float
    model: SplitModel


def relearn(
    unlearned: SplitModel, images: Tensor, labels: Tensor, *, seed: int
) -> Iterator[RelearnedEpoch]:
    """Train a copy of ``unlearned`` on uint8 images (N, C, H, W) for ten epochs.

    The optimiser is new every epoch, as released. The order of batches depends on ``seed`` and
    the epoch only, so every method relearns from the very same batches.
    """
    model = deepcopy(unlearned)
    for epoch in range(1, SETTINGS.epochs + 1):
        optimizer = make_sgd(list(model.parameters()), SETTINGS)
        generator = seeded(seed, epoch, 2)
        loss = train_epoch(model, optimizer, images, labels, SETTINGS.batch_size, generator)
        yield RelearnedEpoch(epoch, loss, model)


@torch.no_grad()
def batch_norm_only(unlearned: SplitModel, images: Tensor, *, seed: int) -> SplitModel:
    """One pass over D_r_new in train mode *without any weight update*; returns a new network.

    Only BatchNorm's running statistics move. If that alone brings A_f back, the method had merely
    overwritten them (``spec/algorithms.md`` 6.3).
    """
    model = deepcopy(unlearned).train()
    for batch in shuffled(len(images), SETTINGS.batch_size, seeded(seed, 1, 2)):
        model(as_input(images[batch.to(images.device)]))
    return model
