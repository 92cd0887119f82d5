"""Plain supervised training, as the originals and the retrained references are made."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from pru_demo.batches import seeded, shuffled
from pru_demo.data.dataset import Samples
from pru_demo.models.split import BatchNormMode, SplitModel, training_mode
from pru_demo.training_settings import TrainingParams
from pru_demo.training_state import State, restore_training, training_state


@dataclass(frozen=True)
class TrainedEpoch:
    """After one epoch: mean cross-entropy, and the state needed to go on."""

    epoch: int
    loss: float
    state: State


def train(
    model: SplitModel,
    data: Samples,
    params: TrainingParams,
    *,
    seed: int,
    done_epochs: int = 0,
    state: State | None = None,
) -> Iterator[TrainedEpoch]:
    """Train ``model`` in place, yielding after each epoch.

    With ``done_epochs`` and the ``state`` of the last :class:`TrainedEpoch` training goes on where
    it stopped, with the same result as if it had not: batches depend on (seed, epoch) only.
    """
    optimizer = make_sgd(list(model.parameters()), params)
    if state is not None:
        restore_training(state, model, optimizer)
    for epoch in range(done_epochs + 1, params.epochs + 1):
        loss = train_epoch(model, optimizer, data, params.batch_size, seeded(seed, epoch))
        yield TrainedEpoch(epoch, loss, training_state(model, optimizer))


def train_epoch(
    model: SplitModel,
    optimizer: torch.optim.Optimizer,
    data: Samples,
    batch_size: int,
    generator: torch.Generator,
    batch_norm: BatchNormMode = "train",
) -> float:
    """One epoch of cross-entropy training in train mode; returns the mean loss."""
    training_mode(model, batch_norm)
    total = torch.zeros((), device=data.labels.device)
    for batch in shuffled(len(data), batch_size, generator):
        index = batch.to(data.labels.device)
        loss = F.cross_entropy(model(data.inputs(index, generator)), data.labels[index].long())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += loss.detach() * len(batch)
    return total.item() / len(data)


def make_sgd(parameters: list[torch.nn.Parameter], params: TrainingParams) -> torch.optim.SGD:
    """The optimiser of all trainings of the paper."""
    return torch.optim.SGD(
        parameters,
        lr=params.learning_rate,
        momentum=params.momentum,
        weight_decay=params.weight_decay,
    )
