"""Records that say what a test wants them to say."""

from collections.abc import Sequence

import numpy as np

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment.record import RunRecord, Snapshot
from pru_demo.methods import METHODS

LABELS = np.array([9, 9, 0, 1], np.uint8)


def record_with(
    a_f: Sequence[float],
    method: str = "boundary_shrink",
    scenario: Scenario | None = None,
    control: float | None = 50.0,
) -> RunRecord:
    """``a_f`` after unlearning and after each epoch of relearning, in percent."""
    variant = "default" if METHODS[method].control else "paper"
    moments = [("original", 0), ("unlearn", 1), *(("relearn", i) for i in range(1, len(a_f)))]
    values = [99.0, *a_f]
    snapshots = [
        Snapshot(stage, epoch, "all", value, 98.0)  # type: ignore[arg-type]
        for (stage, epoch), value in zip(moments, values, strict=True)
    ]
    return RunRecord(
        config=RunConfig(scenario or Scenario(), Pick(method, variant)),
        params={},
        origin="a test",
        snapshots=tuple(snapshots),
        batch_norm_only=None if control is None else {"A_f": control, "A_r": 97.0},
        failure=None,
        seconds={"unlearn": 1.0},
        sizes={"forget": 1280, "relearn": 5000, "test": 1500},
        forward_equivalents=0 if method == "original" else 1000,
        made_with={"device": "CPU", "made": "today"},
        arrays={"labels": LABELS},
    )
