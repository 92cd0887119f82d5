"""Learning by stochastic gradient descent: a step, an epoch, a training, and going on with one.

:func:`train_epoch` is the one loop of all that minimises one loss over all weights: the originals,
Retrain, relearning, and the methods of :mod:`pru_demo.methods.fine_tuning`. What an interrupted
training needs to go on as if it had never stopped is a ``State``: weights and momentum.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pru_demo.data.samples import Batch, Samples, seeded
from pru_demo.models.split import BatchNormMode, SplitModel, training_mode
from pru_demo.parameters import (
    FineTuningParams,
    PRUParams,
    SCRUBParams,
    TrainingParams,
    UnrollParams,
)

State = Mapping[str, Tensor]
# (logits of the batch's inputs, the batch) → what is to become small, as a scalar
Loss = Callable[[Tensor, Batch], Tensor]


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
    optimizer = sgd(model.parameters(), params.learning_rate, params)
    if state is not None:
        restore_training(state, model, optimizer)
    for epoch in range(done_epochs + 1, params.epochs + 1):
        loss = train_epoch(model, optimizer, data, params.batch_size, seeded(seed, epoch))
        yield TrainedEpoch(epoch, loss, training_state(model, optimizer))


def cross_entropy(logits: Tensor, batch: Batch) -> Tensor:
    """The loss of all trainings: of the batch's own labels."""
    return F.cross_entropy(logits, batch.y)


def train_epoch(
    model: SplitModel,
    optimizer: torch.optim.Optimizer,
    data: Samples,
    batch_size: int,
    generator: torch.Generator,
    loss_of: Loss = cross_entropy,
    batch_norm: BatchNormMode = "train",
) -> float:
    """Minimise ``loss_of`` over one epoch in train mode; returns its mean over the samples."""
    training_mode(model, batch_norm)
    total = torch.zeros((), device=data.labels.device)
    for batch in data.batches(batch_size, generator):
        loss = loss_of(model(batch.inputs), batch)
        descend(optimizer, loss)
        total += loss.detach() * len(batch)
    return total.item() / len(data)


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step of ``optimizer`` down the gradient of ``loss``."""
    # Layers that are not trained collect gradients too; nothing ever steps on them.
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def sgd(
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    params: TrainingParams | FineTuningParams | PRUParams | SCRUBParams | UnrollParams,
) -> torch.optim.SGD:
    """The optimiser of all trainings and methods, with the momentum and decay of ``params``."""
    return torch.optim.SGD(
        parameters, lr=learning_rate, momentum=params.momentum, weight_decay=params.weight_decay
    )


class ForeignState(ValueError):
    """What was to be gone on from belongs to something else, or to another version of it."""


_WEIGHT, _VELOCITY = "w.", "v."


def training_state(model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> State:
    """Weights and buffers of ``model`` and, if its optimiser lives on, its momentum.

    The tensors are the live ones: write them down before the training goes on.
    """
    state = {_WEIGHT + name: tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        # What a network does not use has no gradient and no momentum.
        memory = {} if optimizer is None else optimizer.state.get(parameter, {})
        if (velocity := memory.get("momentum_buffer")) is not None:
            state[_VELOCITY + name] = velocity
    return state


def restore_training(
    state: State, model: nn.Module, optimizer: torch.optim.Optimizer | None = None
) -> None:
    """The inverse of :func:`training_state`, into a model that is built already.

    Raises ForeignState when the state is that of another network.
    """
    weights = {
        name.removeprefix(_WEIGHT): tensor
        for name, tensor in state.items()
        if name.startswith(_WEIGHT)
    }
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ForeignState("the weights are those of another network") from error
    for name, parameter in model.named_parameters():
        velocity = state.get(_VELOCITY + name)
        if optimizer is not None and velocity is not None:
            if velocity.shape != parameter.shape:
                raise ForeignState(f"the momentum of {name} is that of another network")
            memory = optimizer.state[parameter]
            memory["momentum_buffer"] = velocity.to(parameter.device, copy=True)
