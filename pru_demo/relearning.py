"""Can the class be remembered from data that does not contain it?

Relearning trains the unlearned network on D_r_new, new images of the *other* classes, as any
operator would after deployment (Section 3.2 of the paper). If A_f comes back, the class was hidden
rather than forgotten. :func:`batch_norm_only` is the control that the paper lacks.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import torch

from pru_demo.batches import seeded, shuffled
from pru_demo.data.dataset import Samples
from pru_demo.models.split import BatchNormMode, SplitModel
from pru_demo.relearning_settings import SETTINGS
from pru_demo.training import make_sgd, train_epoch
from pru_demo.training_settings import TrainingParams


@dataclass(frozen=True)
class RelearnedEpoch:
    """State after one epoch on D_r_new. ``model`` is the working copy: look, do not keep."""

    epoch: int
    loss: float
    model: SplitModel


def relearn(
    unlearned: SplitModel,
    data: Samples,
    *,
    seed: int,
    settings: TrainingParams = SETTINGS,
    batch_norm: BatchNormMode = "train",
    done_epochs: int = 0,
) -> Iterator[RelearnedEpoch]:
    """Train a copy of ``unlearned`` on D_r_new with ``settings``.

    ``batch_norm="frozen"`` is the other half of the BatchNorm control: weights learn, running
    statistics stay. The optimiser is new every epoch, as released. The order of batches depends on
    ``seed`` and the epoch only, so every method relearns from the very same batches, and the
    network after ``done_epochs`` is all it takes to go on from there.
    """
    model = deepcopy(unlearned)
    for epoch in range(done_epochs + 1, settings.epochs + 1):
        optimizer = make_sgd(list(model.parameters()), settings)
        generator = seeded(seed, epoch, 2)
        loss = train_epoch(model, optimizer, data, settings.batch_size, generator, batch_norm)
        yield RelearnedEpoch(epoch, loss, model)


@torch.no_grad()
def batch_norm_only(
    unlearned: SplitModel, data: Samples, *, seed: int, settings: TrainingParams = SETTINGS
) -> SplitModel:
    """One pass over D_r_new in train mode *without any weight update*; returns a new network.

    Only BatchNorm's running statistics move. If that alone brings A_f back, the method had merely
    overwritten them (``spec/algorithms.md`` 6.3).
    """
    model = deepcopy(unlearned).train()
    generator = seeded(seed, 1, 2)
    for batch in shuffled(len(data), settings.batch_size, generator):
        model(data.inputs(batch.to(data.labels.device), generator))
    return model
