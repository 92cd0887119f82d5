"""What every unlearning method is given, and what it yields."""

from dataclasses import dataclass, field
from typing import Literal

from pru_demo.data.samples import Samples
from pru_demo.models.split import SplitModel
from pru_demo.training import State

Phase = Literal["E", "C", "all"]


@dataclass(frozen=True)
class ForgetSet(Samples):
    """D_f (or D_f_new): the images and labels of the classes to forget.

    ``seed`` decides the order of batches, so that a method is a function of its arguments.
    """

    classes: frozenset[int] = field(kw_only=True)
    seed: int = field(kw_only=True)

    @property
    def inputs(self) -> int:
        """How many images pass through the network in an epoch."""
        return len(self)


@dataclass(frozen=True)
class RetainSet(Samples):
    """D_r, handed only to methods whose registry entry says ``needs_retain``."""


@dataclass(frozen=True)
class Resume:
    """Where an interrupted method goes on: after ``epoch``, from the ``state`` of its last step."""

    epoch: int
    state: State


def epochs_left(epochs: int, resume: Resume | None) -> range:
    """The numbers of the epochs to do, counted from 1."""
    return range(resume.epoch + 1 if resume else 1, epochs + 1)


@dataclass(frozen=True)
class Step:
    """State of a method after half an epoch (E or C) or a whole one (all).

    ``losses`` are means over the half epoch; ``forward_equivalents`` counts passes of one sample
    through the network since the start, a backward pass as two (``docs/methods.md``, "Cost").
    ``model`` is the method's own working copy: look, do not keep or change. ``state`` is what the
    method needs beside its arguments to go on from here, None if it cannot. ``note`` is a sentence
    for whoever reads the result, where something was not as it should be.
    """

    epoch: int
    phase: Phase
    model: SplitModel
    forward_equivalents: int
    losses: dict[str, float] = field(default_factory=dict)
    state: State | None = None
    note: str = ""
