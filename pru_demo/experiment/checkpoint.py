"""Where a run stands, written down: the next attempt goes on from there, and pages look on.

A run passes through two stages. After every epoch that its method can go on from, and after every
epoch of relearning, its checkpoint replaces the last one; the one right after unlearning is kept
for itself, so that relearning in another way need not unlearn again. Plain numpy: the web process
reads them, too.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from numpy.typing import NDArray

from pru_demo.config import RunConfig
from pru_demo.experiment.keys import partial_key, unlearned_key
from pru_demo.experiment.record import ROWS, RunRecord, RunResult
from pru_demo.store import Entry, Store, StoreUnavailable

# What the arrays beside the record's own begin with.
_FEATURES, _WEIGHTS, _STATE = "features/", "weights/", "state/"

_log = logging.getLogger(__name__)

ResumableStage = Literal["unlearn", "relearn"]


@dataclass(frozen=True)
class Checkpoint:
    """``stage`` and ``epoch`` are the last that is complete; ``result`` is all that is known then.

    ``state`` is the method's own (see ``methods.step``) while it unlearns, then the network's.
    """

    stage: ResumableStage
    epoch: int
    state: dict[str, NDArray[Any]]
    result: RunResult

    def to_entry(self) -> Entry:
        record = self.result.record.to_entry()
        arrays = dict(record.arrays)
        for prefix, named in (
            (_FEATURES, self.result.features),
            (_WEIGHTS, self.result.weights),
            (_STATE, self.state),
        ):
            arrays |= {prefix + name: array for name, array in named.items()}
        return Entry({**record.meta, "after": [self.stage, self.epoch]}, arrays)

    @classmethod
    def from_entry(cls, entry: Entry, config: RunConfig) -> "Checkpoint":
        """The inverse of :meth:`to_entry`, for who asked for ``config``.

        Raises ValueError, KeyError, TypeError or AttributeError for what that has not written.
        """
        meta = dict(entry.meta)
        stage, epoch = meta.pop("after")
        arrays = {name: each for name, each in entry.arrays.items() if "/" not in name}
        record = RunRecord.from_entry(Entry(meta, arrays), config)
        features, weights, state = (
            beginning_with(prefix, entry.arrays) for prefix in (_FEATURES, _WEIGHTS, _STATE)
        )
        lengths = {len(arrays[name]) for name in ROWS} | {len(features["features"])}
        timed = record.seconds.keys() == {*get_args(ResumableStage), "total"}
        if stage not in get_args(ResumableStage) or type(epoch) is not int or not timed:
            raise ValueError("it stands nowhere")
        if lengths != {len(record.snapshots)}:
            raise ValueError("it has not seen all of its snapshots")
        return cls(stage, epoch, state, RunResult(record, features, weights))


def beginning_with(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Those of the arrays whose names begin so, by the rest of their names."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def last_checkpoint(store: Store, config: RunConfig) -> Checkpoint | None:
    """How far ``config`` has come, or None before there is a checkpoint.

    After the end of a run that is the state right after unlearning: look for the record first.
    What is no checkpoint of this version counts as none.
    """
    for key in (partial_key(config), unlearned_key(config)):
        entry = store.get(key)
        if entry is not None:
            try:
                return Checkpoint.from_entry(entry, config)
            except (ValueError, KeyError, TypeError, AttributeError):
                _log.warning("Stored entry %s is no checkpoint of this version.", key)
    return None


class Checkpoints:
    """Keeps the checkpoints of one run in the result store."""

    def __init__(self, store: Store, run: RunConfig) -> None:
        self._store = store
        self._run = run

    def load(self) -> Checkpoint | None:
        """The furthest one, if there is one."""
        return last_checkpoint(self._store, self._run)

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep it instead of the last one. What cannot be kept is no reason to end the run."""
        unlearned = checkpoint.stage == "relearn" and checkpoint.epoch == 0
        key = unlearned_key(self._run) if unlearned else partial_key(self._run)
        entry = checkpoint.to_entry()
        try:
            self._store.put(key, entry.meta, entry.arrays)
            if unlearned:
                self.forget()
        except (StoreUnavailable, ValueError) as error:  # no room, or a network that is too large
            _log.warning("If this run is interrupted, it loses its last epoch: %s", error)

    def forget(self) -> None:
        """The run is complete, or has come to the end of a stage. The unlearned state stays."""
        self._store.delete(partial_key(self._run))

    def start_over(self) -> None:
        """What an earlier attempt has left is not wanted."""
        self.forget()
        self._store.delete(unlearned_key(self._run))
