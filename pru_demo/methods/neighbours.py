"""Adversarial neighbours: images close to those given that the network takes for something else."""

from collections.abc import Iterator
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import as_input
from pru_demo.heartbeat import beat
from pru_demo.methods.step import ForgetSet
from pru_demo.models.predict import measuring_batch
from pru_demo.models.split import SplitModel


def neighbours(
    original: SplitModel, forget: ForgetSet, *, epsilon: float, step: float, steps: int
) -> Tensor:
    """One neighbour of each image of D_f as it is, float32 (N, C, H, W) in 0..1.

    Starts at the image and climbs the cross-entropy of its own label. Nothing is drawn at random,
    and the argument is left as it is. Raises ValueError when pixels are not between 0 and 1.
    """
    model = deepcopy(original).eval().requires_grad_(False)
    found = []
    for x, truth in attackable(forget):
        found.append(climb(model, x, truth, start=x, epsilon=epsilon, step=step, steps=steps))
        beat()
    return torch.cat(found)


def attackable(forget: ForgetSet) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs (B, C, H, W) and labels (B,) of all images as they are, a batch at a time.

    Raises ValueError when pixels are not between 0 and 1.
    """
    size = measuring_batch(forget.images.device)
    for images, truth in zip(
        torch.split(forget.images, size), torch.split(forget.labels, size), strict=True
    ):
        x = as_input(images)
        if x.min() < 0 or x.max() > 1:
            raise ValueError(
                "Only pixels between 0 and 1 can be attacked. Make your normalisation the "
                "network's first layer."
            )
        yield x, truth


def climb(
    model: SplitModel,
    x: Tensor,
    truth: Tensor,
    *,
    start: Tensor,
    epsilon: float,
    step: float,
    steps: int,
) -> Tensor:
    """Projected gradient descent (PGD) from ``start``: after every step back to within ``epsilon``
    of ``x`` and into 0..1."""
    attacked = start
    for _ in range(steps):
        attacked = ascend(model, attacked, truth, step)
        attacked = attacked.clamp(x - epsilon, x + epsilon).clamp(0, 1)
    return attacked


def ascend(model: SplitModel, x: Tensor, truth: Tensor, step: float) -> Tensor:
    """``x`` moved by ``step`` per pixel in the direction that raises the cross-entropy."""
    x = x.detach().requires_grad_(True)
    loss = F.cross_entropy(model(x), truth.long(), reduction="sum")
    (gradient,) = torch.autograd.grad(loss, x)
    return (x.detach() + step * gradient.sign()).clamp(0, 1)
