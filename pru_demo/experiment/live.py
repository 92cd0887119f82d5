"""A run that is under way, as far as its last checkpoint tells: what pages show meanwhile.

Plain numpy: the web process reads it, which never imports torch for this.
"""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from pru_demo.config import RunConfig
from pru_demo.experiment.keys import partial_key, unlearned_key
from pru_demo.experiment.record import RunRecord, Snapshot, record_arrays, unlearned_at
from pru_demo.store import Store


@dataclass(frozen=True)
class LiveRun:
    """The record of the snapshots so far, and the features (T, n, d) of the shown samples."""

    record: RunRecord
    features: NDArray[Any]


def live_run(store: Store, config: RunConfig) -> LiveRun | None:
    """What its last checkpoint says of ``config``; None before there is one.

    After the end of a run that is the state right after unlearning: look for the record first.
    """
    entry = store.get(partial_key(config)) or store.get(unlearned_key(config))
    if entry is None:
        return None
    snapshots = tuple(Snapshot(**each) for each in entry.meta["recorded"]["snapshots"])
    arrays = entry.arrays
    record = RunRecord(
        config=config,
        params={},
        origin="",
        snapshots=snapshots,
        batch_norm_only=None,
        failure=None,
        seconds={},
        sizes={},
        forward_equivalents=entry.meta["cost"],
        made_with={},
        arrays=record_arrays(
            arrays["shown"],
            arrays["labels"],
            arrays["probabilities"],
            arrays["confusion"],
            forget=config.scenario.forget,
            unlearned=unlearned_at(snapshots),
        ),
    )
    return LiveRun(record, arrays["features"])
