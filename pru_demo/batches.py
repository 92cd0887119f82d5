"""Mini-batches as index slices of one tensor; no loader, no workers."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pru_demo.heartbeat import beat


def seeded(*numbers: int) -> torch.Generator:
    """A CPU generator whose stream is decided by ``numbers`` (seed, epoch, …)."""
    state = 0
    for number in numbers:
        # A fixed odd multiplier keeps (1, 2) and (2, 1) apart; torch wants a 63-bit seed.
        state = (state * 1_000_003 + number + 1) % (2**63)
    return torch.Generator().manual_seed(state)


def shuffled(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Indices of one epoch over ``count`` samples, ``size`` at a time, with a beat after each.

    A last batch of a single sample is joined to the one before it: it has no pairs, and BatchNorm
    over one vector raises.
    """
    order = torch.randperm(count, generator=generator)
    batches = list(torch.split(order, size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    for batch in batches:
        yield batch
        beat()
