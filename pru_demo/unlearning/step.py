"""What every unlearning method is given, and what it yields."""

from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from pru_demo.models.split import SplitModel

Phase = Literal["E", "C", "all"]


@dataclass(frozen=True)
class ForgetSet:
    """D_f: uint8 images (N, C, H, W) and labels (N,) of the classes to forget.

    ``seed`` decides the order of batches, so that a method is a function of its arguments.
    """

    images: Tensor
    labels: Tensor
    classes: frozenset[int]
    seed: int


@dataclass(frozen=True)
class RetainSet:
    """D_r, handed only to methods whose registry entry says ``needs_retain``."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Step:
    """State of a method after half an epoch (E or C) or a whole one (all).

    ``losses`` are means over the half epoch; ``forward_equivalents`` counts passes of one sample
    through the network since the start, a backward pass as two (``spec/algorithms.md`` 1.5).
    ``model`` is the method's own working copy: look, do not keep or change.
    """

    epoch: int
    phase: Phase
    model: SplitModel
    forward_equivalents: int
    losses: dict[str, float] = field(default_factory=dict)
