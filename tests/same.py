"""Comparing networks bit by bit."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def frozen(model: nn.Module) -> dict[str, Tensor]:
    """A copy of all weights and buffers."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def changed(before: Mapping[str, Tensor], model: nn.Module) -> set[str]:
    """Names of the weights and buffers of ``model`` that differ from ``before``."""
    now = model.state_dict()
    return {name for name, tensor in before.items() if not torch.equal(tensor, now[name])}


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether two copies agree bit by bit."""
    return one.keys() == other.keys() and all(torch.equal(t, other[k]) for k, t in one.items())
