"""Can the class be remembered from data that does not contain it?

Relearning trains the unlearned network on D_r_new, new images of the *other* classes, as any
operator would after deployment (Section 3.2 of the paper). If A_f comes back, the class was hidden
rather than forgotten. :func:`batch_norm_only` is the control that the paper lacks,
:func:`with_shots` what somebody relearns from who has a few images of the class as well.
:func:`comeback` sums a curve up in four numbers: how much of the class came back, and how soon.
"""

import math
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import pairwise

import torch

from pru_demo.data.samples import Samples, seeded
from pru_demo.evaluation.attacks import draws, too_few
from pru_demo.evaluation.loss_attack import NoAttack
from pru_demo.methods.step import ForgetSet
from pru_demo.models.split import BatchNormMode, SplitModel
from pru_demo.parameters import TrainingParams
from pru_demo.settings import RELEARNING
from pru_demo.training import sgd, train_epoch

# As many of a class as one image in about twenty of the classroom's D_r_new.
SHOTS_AN_EPOCH = 64


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
    settings: TrainingParams = RELEARNING,
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
        optimizer = sgd(model.parameters(), settings.learning_rate, settings)
        loss = train_epoch(
            model,
            optimizer,
            data,
            settings.batch_size,
            seeded(seed, epoch, 2),
            batch_norm=batch_norm,
        )
        yield RelearnedEpoch(epoch, loss, model)


def with_shots(data: Samples, of_class: ForgetSet, k: int, *, seed: int) -> Samples:
    """D_r_new and ``k`` images of each forgotten class, repeated until they are ``SHOTS_AN_EPOCH``.

    They are the first draw of the k-shot AUC. Raises NoAttack if a class has fewer images.
    """
    chosen = []
    for label in sorted(of_class.classes):
        mine = torch.nonzero(of_class.labels == label).flatten()
        if reason := too_few(k, len(mine)):
            raise NoAttack(reason)
        first = torch.from_numpy(draws(len(mine), seed)[0][:k]).to(mine.device)
        chosen.append(mine[first].repeat(math.ceil(SHOTS_AN_EPOCH / k))[: max(SHOTS_AN_EPOCH, k)])
    index = torch.cat(chosen)
    return replace(
        data,
        images=torch.cat([data.images, of_class.images[index]]),
        labels=torch.cat([data.labels, of_class.labels[index]]),
    )


@torch.no_grad()
def batch_norm_only(
    unlearned: SplitModel, data: Samples, *, seed: int, settings: TrainingParams = RELEARNING
) -> SplitModel:
    """One pass over D_r_new in train mode *without any weight update*; returns a new network.

    Only BatchNorm's running statistics move. If that alone brings A_f back, the method had merely
    overwritten them (``docs/methods.md``, "BatchNorm").
    """
    model = deepcopy(unlearned).train()
    for batch in data.batches(settings.batch_size, seeded(seed, 1, 2)):
        model(batch.x)
    return model


@dataclass(frozen=True)
class Comeback:
    """A_f over relearning.

    ``area`` is the mean A_f in percent under the curve (trapezoids, so that the ends count half),
    ``maximum`` the largest A_f in percent at any epoch, 0 included. ``reaches_10`` and
    ``reaches_50`` are the first epochs with at least 10 % and 50 %; None: never.
    """

    area: float
    maximum: float
    reaches_10: int | None
    reaches_50: int | None


def comeback(a_f: Sequence[float]) -> Comeback:
    """Sum up A_f in percent right after unlearning (epoch 0) and after each relearning epoch.

    Without any relearning the area is the only value. Raises ValueError for no value at all.
    """
    maximum = max(a_f)
    trapezoids = [(left + right) / 2 for left, right in pairwise(a_f)] or a_f
    area = sum(trapezoids) / len(trapezoids)
    return Comeback(area, maximum, _first(a_f, 10), _first(a_f, 50))


def _first(a_f: Sequence[float], percent: float) -> int | None:
    return next((epoch for epoch, value in enumerate(a_f) if value >= percent), None)
