"""What every unlearning method is given, and what it yields."""

from dataclasses import dataclass, field
from typing import Literal

from pru_demo.data.dataset import Samples
from pru_demo.models.split import SplitModel

Phase = Literal["E", "C", "all"]


@dataclass(frozen=True)
class ForgetSet(Samples):
    """D_f (or D_f_new): the images and labels of the classes to forget.

    ``seed`` decides the order of batches, so that a method is a function of its arguments.
    """

    classes: frozenset[int] = field(kw_only=True)
    seed: int = field(kw_only=True)


@dataclass(frozen=True)
class RetainSet(Samples):
    """D_r, handed only to methods whose registry entry says ``needs_retain``."""


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
