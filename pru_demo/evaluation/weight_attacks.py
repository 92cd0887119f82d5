"""What an attacker who holds the weights can do to them without training.

Write a row of the last layer anew from k images, go back along the straight line to the original,
or round the weights, as whoever stores a network in few bits does. None of them changes the network
that it is given.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray

from pru_demo.evaluation.attacks import Features, draws, too_few
from pru_demo.evaluation.loss_attack import NoAttack
from pru_demo.models.split import SplitModel

Rows = NDArray[np.float64]


def rewritten_rows(
    weight: Features, bias: Features, of_class: Mapping[int, Features], k: int, seed: int
) -> Iterator[tuple[Rows, Rows]]:
    """The last layer, (K, d) and (K,), with a new row for each forgotten class, once per draw.

    The row is the mean direction of k images' features among ``of_class``, at the mean norm and
    the mean bias of the rows that were not forgotten ("prototypical relearning", arXiv 2506.01318).
    Raises NoAttack if a class has fewer than k images.
    """
    if reason := too_few(k, min(map(len, of_class.values()))):
        raise NoAttack(reason)
    others = [c for c in range(len(weight)) if c not in of_class]
    norm = np.linalg.norm(weight[others].astype(np.float64), axis=1).mean()
    orders = {c: draws(len(images), seed) for c, images in of_class.items()}
    for draw in zip(*orders.values(), strict=True):
        rows, biases = weight.astype(np.float64), bias.astype(np.float64)
        for c, order in zip(of_class, draw, strict=True):
            chosen = of_class[c][order[:k]].astype(np.float64)
            rows[c] = norm * _unit(_unit(chosen).mean(0))
            biases[c] = bias[others].mean()
        yield rows, biases


def straight_line(
    original: SplitModel, unlearned: SplitModel, steps: int
) -> Iterator[tuple[float, SplitModel]]:
    """Networks on the way from ``original`` (share 0) to ``unlearned`` (share 1), both included.

    BatchNorm's statistics go the same way as the weights; counts stay those of ``unlearned``.
    """
    start, end = original.state_dict(), unlearned.state_dict()
    for step in range(steps + 1):
        share, between = step / steps, deepcopy(unlearned)
        between.load_state_dict(
            {
                name: torch.lerp(start[name], each, share) if each.is_floating_point() else each
                for name, each in end.items()
            }
        )
        yield share, between


@torch.no_grad()
def rounded(network: SplitModel, bits: int) -> SplitModel:
    """``network`` with its kernels at ``bits`` (2 or more) bits a weight.

    Each is rounded to the nearest of 2^bits − 1 evenly spaced values, symmetric about 0 up to the
    largest weight of the same output channel. Biases and BatchNorm stay, as is usual.
    """
    copy, largest = deepcopy(network), 2 ** (bits - 1) - 1
    for weights in copy.parameters():
        if weights.ndim > 1:
            flat = weights.flatten(1)
            step = flat.abs().amax(1, keepdim=True).clamp_min(torch.finfo(flat.dtype).tiny)
            step /= largest
            weights.copy_((step * (flat / step).round()).view_as(weights))
    return copy


def _unit(vectors: Rows) -> Rows:
    """Each of the vectors (…, d) at length 1; one that is 0 stays so."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    units: Rows = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units
