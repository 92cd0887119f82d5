"""Unrolling SGD (Thudi et al., EuroS&P 2022) as the PRU paper adapts it.

Learn D_f once more while adding up its gradients G_f, then take a step of ``sigma`` along G_f: a
step back from what was learned of it. ``unroll`` learns D_r in between; ``unroll_of`` does not, and
there ``w_un = w_or + (σ − η)·G_f``, so σ = η leaves every weight as it was.
"""

from collections.abc import Iterator
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import Samples, seeded, shuffled
from pru_demo.methods.step import ForgetSet, RetainSet, Step
from pru_demo.models.split import SplitModel, training_mode
from pru_demo.parameters import UnrollParams


def unroll(
    original: SplitModel, forget: ForgetSet, retain: RetainSet, params: UnrollParams
) -> Iterator[Step]:
    """Unrolling with D_f and D_r, yielding after every epoch. ``original`` is not changed."""
    return _unroll(original, forget, retain, params)


def unroll_of(original: SplitModel, forget: ForgetSet, params: UnrollParams) -> Iterator[Step]:
    """The same with D_f only (UnrollOF). ``original`` is not changed."""
    return _unroll(original, forget, None, params)


def _unroll(
    original: SplitModel, forget: ForgetSet, retain: RetainSet | None, params: UnrollParams
) -> Iterator[Step]:
    model = deepcopy(original)
    gradient = [torch.zeros_like(parameter) for parameter in model.parameters()]
    cost = 0
    for epoch in range(1, params.epochs + 1):
        training_mode(model, "train")
        generator = seeded(forget.seed, epoch)
        loss = _learn(model, forget, params.learning_rate, params.batch_size, generator, gradient)
        cost += 3 * len(forget)
        if retain is not None:
            # The released loaders hold twice as many images of D_f as of D_r.
            half = max(2, params.batch_size // 2)
            _learn(model, retain, params.learning_rate, half, generator)
            cost += 3 * len(retain)
        yield Step(epoch, "all", _stepped_back(model, gradient, params.sigma), cost, loss)


def _learn(
    model: SplitModel,
    data: Samples,
    learning_rate: float,
    batch_size: int,
    generator: torch.Generator,
    gradient: list[Tensor] | None = None,
) -> dict[str, float]:
    """One epoch of plain SGD on the true labels; adds its gradients to ``gradient``."""
    parameters: list[Tensor] = list(model.parameters())
    total = torch.zeros((), device=data.labels.device)
    for batch in shuffled(len(data), batch_size, generator):
        index = batch.to(data.labels.device)
        logits = model(data.inputs(index, generator))
        loss = F.cross_entropy(logits, data.labels[index].long())
        steps = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
        with torch.no_grad():
            torch._foreach_sub_(parameters, list(steps), alpha=learning_rate)
            if gradient is not None:
                torch._foreach_add_(gradient, list(steps))
        total += loss.detach() * len(batch)
    return {"cross-entropy": total.item() / len(data)}


def _stepped_back(model: SplitModel, gradient: list[Tensor], sigma: float) -> SplitModel:
    copy = deepcopy(model)
    with torch.no_grad():
        for parameter, total in zip(copy.parameters(), gradient, strict=True):
            parameter.add_(total, alpha=sigma)
    return copy
