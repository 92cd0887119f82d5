"""Unrolling SGD (Thudi et al., EuroS&P 2022) as the PRU paper adapts it.

Learn D_f once more while adding up its gradients G_f, then take a step of ``sigma`` along G_f: a
step back from what was learned of it. ``unroll`` learns D_r in between; ``unroll_of`` does not, and
there ``w_un = w_or + (σ − η)·G_f``, so σ = η leaves every weight as it was (``docs/methods.md``,
"Unrolling").
"""

from collections.abc import Iterator
from copy import deepcopy

import torch
from torch import Tensor

from pru_demo.data.samples import seeded
from pru_demo.methods.step import ForgetSet, RetainSet, Step
from pru_demo.models.split import SplitModel, training_mode
from pru_demo.parameters import UnrollParams
from pru_demo.training import cross_entropy, descend, sgd, train_epoch


def unroll_of(original: SplitModel, forget: ForgetSet, params: UnrollParams) -> Iterator[Step]:
    """Unrolling with D_f only, yielding after every epoch. ``original`` is not changed."""
    return _unroll(original, forget, None, params)


def unroll(
    original: SplitModel, forget: ForgetSet, retain: RetainSet, params: UnrollParams
) -> Iterator[Step]:
    """The same with an epoch of D_r after each of D_f. ``original`` is not changed."""
    return _unroll(original, forget, retain, params)


def _unroll(
    original: SplitModel, forget: ForgetSet, retain: RetainSet | None, params: UnrollParams
) -> Iterator[Step]:
    model = deepcopy(original)
    optimizer = sgd(model.parameters(), params.learning_rate, params)
    gradient = [torch.zeros_like(parameter) for parameter in model.parameters()]
    cost = 0
    for epoch in range(1, params.epochs + 1):
        generator = seeded(forget.seed, epoch)
        training_mode(model, "train")
        total = torch.zeros((), device=forget.labels.device)
        for batch in forget.batches(params.batch_size, generator):
            loss = cross_entropy(model(batch.x), batch)
            descend(optimizer, loss)
            total += loss.detach() * len(batch)
            for summed, parameter in zip(gradient, model.parameters(), strict=True):
                # What the network does not use has no gradient.
                if parameter.grad is not None:
                    summed += parameter.grad
        cost += 3 * len(forget)
        if retain is not None:
            # The released loaders hold twice as many images of D_f as of D_r.
            train_epoch(model, optimizer, retain, max(2, params.batch_size // 2), generator)
            cost += 3 * len(retain)
        losses = {"cross-entropy": total.item() / len(forget)}
        yield Step(epoch, "all", _stepped_back(model, gradient, params.sigma), cost, losses)


def _stepped_back(model: SplitModel, gradient: list[Tensor], sigma: float) -> SplitModel:
    copy = deepcopy(model)
    with torch.no_grad():
        for parameter, summed in zip(copy.parameters(), gradient, strict=True):
            parameter.add_(summed, alpha=sigma)
    return copy
