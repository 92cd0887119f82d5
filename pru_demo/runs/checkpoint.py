"""Where a run stands, written down so that the next attempt goes on from there.

A run passes through two stages. After every epoch that its method can go on from, and after every
epoch of relearning, its checkpoint replaces the last one; the one right after unlearning is also
kept for itself, so that relearning in another way need not unlearn again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pru_demo.config import RunConfig
from pru_demo.runs.record import partial_key, unlearned_key
from pru_demo.runs.store import Store
from pru_demo.training_state import State

# Arrays of a recorder have its own names; those of the network's state begin with this.
_STATE = "state/"


Stage = Literal["unlearn", "relearn"]


@dataclass(frozen=True)
class Checkpoint:
    """``stage`` and ``epoch`` are the last that is complete.

    ``state`` is the method's own (see ``unlearning.step``) while it unlearns, then the network's.
    ``recorded`` and ``arrays`` are the recorder's; ``seconds`` has what each stage took so far.
    """

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


class NoCheckpoints(Checkpoints):
    """For runs that are short or must not be kept."""

    def load(self) -> Checkpoint | None:
        """See ``Checkpoints.load``."""
        return None

    def save(self, checkpoint: Checkpoint) -> None:
        """See ``Checkpoints.save``."""

    def forget(self) -> None:
        """See ``Checkpoints.forget``."""


class StoredCheckpoints(Checkpoints):
    """In the result store. With ``fresh`` what an earlier attempt has left is not looked at."""

    def __init__(self, store: Store, run: RunConfig, *, fresh: bool) -> None:
        self._store = store
        self._run = run
        self._fresh = fresh

    def load(self) -> Checkpoint | None:
        """See ``Checkpoints.load``. What is no checkpoint of this version counts as none."""
        if self._fresh:
            return None
        for key in (partial_key(self._run), unlearned_key(self._run)):
            entry = self._store.get(key)
            if entry is not None and (found := _read(entry.meta, entry.arrays)):
                return found
        return None

    def save(self, checkpoint: Checkpoint) -> None:
        """See ``Checkpoints.save``."""
        meta = {
            name: getattr(checkpoint, name)
            for name in ("stage", "epoch", "cost", "seconds", "recorded")
        }
        state = {
            _STATE + name: tensor.detach().cpu().contiguous().numpy()
            for name, tensor in checkpoint.state.items()
        }
        unlearned = checkpoint.stage == "relearn" and checkpoint.epoch == 0
        key = unlearned_key(self._run) if unlearned else partial_key(self._run)
        self._store.put(key, meta, {**checkpoint.arrays, **state})
        if unlearned:
            self._store.delete(partial_key(self._run))

    def forget(self) -> None:
        """See ``Checkpoints.forget``. The unlearned stage stays."""
        self._store.delete(partial_key(self._run))


def _read(meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Checkpoint | None:
    state = {
        name.removeprefix(_STATE): torch.from_numpy(np.array(array))
        for name, array in arrays.items()
        if name.startswith(_STATE)
    }
    others = {name: array for name, array in arrays.items() if not name.startswith(_STATE)}
    try:
        return Checkpoint(**meta, state=state, arrays=others)
    except TypeError:
        return None
