"""Plain supervised training, as the originals and the retrained references are made."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.batches import seeded, shuffled
from pru_demo.data.dataset import as_input
from pru_demo.models.split import SplitModel


@dataclass(frozen=True)
class TrainingParams:
    """SGD at a constant learning rate: no schedule, no clipping, weights of the last epoch."""

    epochs: int
    learning_rate: float
    weight_decay: float
    momentum: float = 0.9
    batch_size: int = 64


# Released code, config_original.py (spec/algorithms.md 1.3); the small network uses its big
# sister's settings.
ORIGINAL: dict[tuple[str, str], TrainingParams] = {
    ("mnist", "allcnn"): TrainingParams(epochs=10, learning_rate=0.01, weight_decay=1e-4),
    ("mnist", "allcnn-small"): TrainingParams(epochs=10, learning_rate=0.01, weight_decay=1e-4),
}


@dataclass(frozen=True)
class TrainedEpoch:
    """State after one epoch: mean cross-entropy, and the momentum buffers needed to go on."""

    epoch: int
    loss: float
    velocity: dict[str, Tensor]


def train(
    model: SplitModel,
    images: Tensor,
    labels: Tensor,
    params: TrainingParams,
    *,
    seed: int,
    done_epochs: int = 0,
    velocity: dict[str, Tensor] | None = None,
) -> Iterator[TrainedEpoch]:
    """Train ``model`` in place on uint8 images (N, C, H, W), yielding after each epoch.

    With ``done_epochs`` and the ``velocity`` of the last :class:`TrainedEpoch` training goes on
    where it stopped, with the same result as if it had not: batches depend on (seed, epoch) only.
    """
    optimizer = make_sgd(list(model.parameters()), params)
    if velocity:
        for name, parameter in model.named_parameters():
            optimizer.state[parameter]["momentum_buffer"] = velocity[name].clone()
    for epoch in range(done_epochs + 1, params.epochs + 1):
        loss = train_epoch(model, optimizer, images, labels, params.batch_size, seeded(seed, epoch))
        buffers = {
            name: optimizer.state[parameter]["momentum_buffer"]
            for name, parameter in model.named_parameters()
        }
        yield TrainedEpoch(epoch, loss, buffers)


def train_epoch(
    model: SplitModel,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    batch_size: int,
    generator: torch.Generator,
) -> float:
    """One epoch of cross-entropy training in train mode; returns the mean loss."""
    model.train()
    total = torch.zeros((), device=images.device)
    for batch in shuffled(len(images), batch_size, generator):
        index = batch.to(images.device)
        loss = F.cross_entropy(model(as_input(images[index])), labels[index].long())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += loss.detach() * len(batch)
    return total.item() / len(images)


def make_sgd(parameters: list[torch.nn.Parameter], params: TrainingParams) -> torch.optim.SGD:
    """The optimiser of all trainings of the paper."""
    return torch.optim.SGD(
        parameters,
        lr=params.learning_rate,
        momentum=params.momentum,
        weight_decay=params.weight_decay,
    )
