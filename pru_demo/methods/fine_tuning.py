"""The loop that most methods share: fine-tune a copy of the network on D_f with some loss."""

from collections.abc import Callable, Iterator
from typing import Protocol

import torch
from torch import Tensor

from pru_demo.data.samples import seeded, shuffled
from pru_demo.methods.step import ForgetSet, Resume, Step
from pru_demo.models.split import SplitModel, training_mode
from pru_demo.training import restore_training, training_state

# (indices of the batch, its inputs, the network's logits on them) → loss
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


class SGDSettings(Protocol):
    """What the parameters of a fine-tuning method have in common."""

    @property
    def learning_rate(self) -> float: ...
    @property
    def momentum(self) -> float: ...
    @property
    def epochs(self) -> int: ...
    @property
    def batch_size(self) -> int: ...


def fine_tune(
    model: SplitModel,
    forget: ForgetSet,
    params: SGDSettings,
    loss_of: Loss,
    *,
    name: str,
    cost_before: int = 0,
    cost_per_image: int = 3,
    resume: Resume | None = None,
) -> Iterator[Step]:
    """Minimise ``loss_of`` over all of ``model`` in place, yielding after every epoch.

    One SGD optimiser for the whole run and no weight decay, as the published methods have it.
    ``name`` is what the loss is called in records. Costs are in forward-equivalents. With
    ``resume`` it goes on after that epoch, with the same result as if it had not stopped.
    """
    optimizer = torch.optim.SGD(
        model.parameters(), lr=params.learning_rate, momentum=params.momentum
    )
    if resume:
        restore_training(resume.state, model, optimizer)
    for epoch in range(resume.epoch + 1 if resume else 1, params.epochs + 1):
        training_mode(model, "train")
        total = torch.zeros((), device=forget.labels.device)
        generator = seeded(forget.seed, epoch)
        for batch in shuffled(len(forget), params.batch_size, generator):
            index = batch.to(forget.labels.device)
            inputs = forget.inputs(index, generator)
            loss = loss_of(index, inputs, model(inputs))
            descend(optimizer, loss)
            total += loss.detach() * len(batch)
        cost = cost_before + epoch * cost_per_image * len(forget)
        losses = {name: total.item() / len(forget)}
        yield Step(epoch, "all", model, cost, losses, training_state(model, optimizer))


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step of ``optimizer`` down the gradient of ``loss``."""
    # Layers that are not trained collect gradients too; nothing ever steps on them.
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
