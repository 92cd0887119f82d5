"""Plain supervised training, as the originals and the retrained references are made.

All that a training needs to go on as if it had never stopped: weights and momentum.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pru_demo.data.samples import Samples, seeded, shuffled
from pru_demo.models.split import BatchNormMode, SplitModel, training_mode
from pru_demo.parameters import TrainingParams

State = Mapping[str, Tensor]


_WEIGHT, _VELOCITY = "w.", "v."


class ForeignState(ValueError):
    """What was to be gone on from belongs to something else, or to another version of it."""


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
    weights = {name[2:]: tensor for name, tensor in state.items() if name.startswith(_WEIGHT)}
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
