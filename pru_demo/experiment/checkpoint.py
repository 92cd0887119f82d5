"""Where a run stands, written down so that the next attempt goes on from there.

A run passes through two stages. After every epoch that its method can go on from, and after every
epoch of relearning, its checkpoint replaces the last one; the one right after unlearning is also
kept for itself, so that relearning in another way need not unlearn again.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from pru_demo.config import RunConfig
from pru_demo.experiment.keys import partial_key, unlearned_key
from pru_demo.store import Store, StoreUnavailable
from pru_demo.training import State

# Arrays of a recorder have its own names; those of the network's state begin with this.
_STATE = "state/"

_log = logging.getLogger(__name__)

Stage = Literal["unlearn", "relearn"]


@dataclass(frozen=True)
class Checkpoint:
    """``stage`` and ``epoch`` are the last that is complete.

    ``made_for`` is what a run must have in common with this one to go on from here.
    ``state`` is the method's own (see ``unlearning.step``) while it unlearns, then the network's.
    ``recorded`` and ``arrays`` are the recorder's; ``seconds`` has what each stage took so far.
    """

    made_for: dict[str, Any]
    stage: Stage
    epoch: int
    cost: int
    seconds: dict[str, float]
    state: State
    recorded: dict[str, Any]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


class Checkpoints(Protocol):
    """Keeps the checkpoints of one run."""

    def load(self) -> Checkpoint | None:
        """The furthest one, if there is one."""

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep it instead of the last one."""

    def forget(self) -> None:
        """The run is complete."""

    def start_over(self) -> None:
        """What an earlier attempt has left is not wanted."""


class NoCheckpoints(Checkpoints):
    """For runs that are short or must not be kept."""

    def load(self) -> Checkpoint | None:
        """See ``Checkpoints.load``."""
        return None

    def save(self, checkpoint: Checkpoint) -> None:
        """See ``Checkpoints.save``."""

    def forget(self) -> None:
        """See ``Checkpoints.forget``."""

    def start_over(self) -> None:
        """See ``Checkpoints.start_over``."""


class StoredCheckpoints(Checkpoints):
    """In the result store."""

    def __init__(self, store: Store, run: RunConfig) -> None:
        self._store = store
        self._run = run

    def load(self) -> Checkpoint | None:
        """See ``Checkpoints.load``. What is no checkpoint of this version counts as none."""
        for key in (partial_key(self._run), unlearned_key(self._run)):
            entry = self._store.get(key)
            if entry is not None and (found := _read(entry.meta, entry.arrays)):
                return found
        return None

    def save(self, checkpoint: Checkpoint) -> None:
        """See ``Checkpoints.save``. What cannot be kept is no reason to end the run."""
        meta = {
            name: getattr(checkpoint, name)
            for name in ("made_for", "stage", "epoch", "cost", "seconds", "recorded")
        }
        state = {
            _STATE + name: tensor.detach().cpu().contiguous().numpy()
            for name, tensor in checkpoint.state.items()
        }
        unlearned = checkpoint.stage == "relearn" and checkpoint.epoch == 0
        key = unlearned_key(self._run) if unlearned else partial_key(self._run)
        try:
            self._store.put(key, meta, {**checkpoint.arrays, **state})
            if unlearned:
                self._store.delete(partial_key(self._run))
        except (StoreUnavailable, ValueError) as error:  # no room, or a network that is too large
            _log.warning("If this run is interrupted, it loses its last epoch: %s", error)

    def forget(self) -> None:
        """See ``Checkpoints.forget``. The unlearned stage stays."""
        self._store.delete(partial_key(self._run))

    def start_over(self) -> None:
        """See ``Checkpoints.start_over``."""
        self._store.delete(partial_key(self._run))
        self._store.delete(unlearned_key(self._run))


def _read(meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Checkpoint | None:
    state = {
        name.removeprefix(_STATE): torch.from_numpy(np.array(array))
        for name, array in arrays.items()
        if name.startswith(_STATE)
    }
    stages = get_args(Stage)
    others = {name: array for name, array in arrays.items() if not name.startswith(_STATE)}
    try:
        found = Checkpoint(**meta, state=state, arrays=others)
    except TypeError:
        return None
    numbers = isinstance(found.epoch, int) and isinstance(found.cost, int)
    timed = isinstance(found.seconds, dict) and {*stages, "total"} == found.seconds.keys()
    return found if found.stage in stages and numbers and timed else None
