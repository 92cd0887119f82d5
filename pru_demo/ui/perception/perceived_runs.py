"""What the page Perception shows beside its map: runs with what their features say."""

import math
from collections.abc import Sequence

import pandas as pd

from pru_demo.config import Scenario, runs_of
from pru_demo.experiment.perceived import CONTROL
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.feature_space import Cloud, PerceivedRun, cloud_of, recognised, table_row
from pru_demo.figures.findings import percent, perception_finding
from pru_demo.figures.naming import pick_name
from pru_demo.ui.shared.records import perceived_of, record_of

PERCEPTION_TERMS = (
    "**recognised**: called by their name by the network itself. **probe**: found by a new linear "
    "classifier on the features of half of the images, asked about the other half. **between** and "
    "**within clusters**: distance between the new clusters and inside one, in class distances."
)
UNLEARNED, BATCH_NORM, ORIGINAL = "Unlearned", "BatchNorm refreshed", "Original"
_RELEARNED = "Relearned {}"


def perceived_runs(records: Sequence[RunRecord]) -> list[PerceivedRun]:
    """The ``records`` with what their features say, as far as that is stored."""
    found = [(record, perceived_of(record.config)) for record in records]
    return [PerceivedRun(record, perceived) for record, perceived in found if perceived is not None]


def findings(runs: Sequence[PerceivedRun], retrained: RunRecord | None) -> list[str]:
    """A sentence for each run: what it says and what could be found; Retrain is the yardstick."""
    said = [
        perception_finding(
            run.record, recognised(run.record, at), run.perceived.moments[at].probe_A_f
        )
        for run in runs
        for at in [run.record.unlearned]
    ]
    yardstick = perceived_of(retrained.config) if retrained else None
    if retrained and yardstick and retrained.config not in [run.record.config for run in runs]:
        finds = yardstick.moments[retrained.unlearned].probe_A_f
        if finds is not None:
            said.append(f"In Retrain's, which never met one, it finds {percent(finds)}.")
    return said


def moments_of(runs: Sequence[PerceivedRun]) -> list[str]:
    """The moments of which there are numbers, named alike for runs of different length."""
    last = max(len(run.record.stage("relearn")) for run in runs)
    relearned = sorted({epoch for epoch in (1, last) if 0 < epoch <= last})
    named = [UNLEARNED, BATCH_NORM, *(_RELEARNED.format(epoch) for epoch in relearned), ORIGINAL]
    return [moment for moment in named if clouds_at(runs, moment)]


def clouds_at(runs: Sequence[PerceivedRun], moment: str) -> list[tuple[RunRecord, Cloud]]:
    """The forgotten samples of each run at a moment of :func:`moments_of`, where there is one."""
    found = [(run, _snapshot(run.record, moment)) for run in runs]
    clouds = [(run.record, cloud_of(run, at)) for run, at in found if at is not None]
    return [(record, cloud) for record, cloud in clouds if cloud is not None]


def perception_table(scenario: Scenario) -> pd.DataFrame:
    """One row per stored run and moment."""
    rows = []
    for run in stored_runs_of(scenario):
        moments = {UNLEARNED: run.record.unlearned}
        if relearned := run.record.stage("relearn"):
            moments["Relearned"] = relearned[-1]
        for name, at in moments.items():
            row = {"run": pick_name(run.record.config.pick), "moment": name}
            rows.append(row | {k: _rounded(v) for k, v in table_row(run, at).items()})
    return pd.DataFrame(rows)


def stored_runs_of(scenario: Scenario) -> list[PerceivedRun]:
    """All runs of ``scenario`` with what their features say, as far as both are stored."""
    return perceived_runs(stored_records(scenario))


def stored_records(scenario: Scenario) -> list[RunRecord]:
    """All runs of ``scenario`` that are stored, in the order of the methods."""
    found = (record_of(run) for run in runs_of(scenario))
    return [record for record in found if record is not None]


def _snapshot(record: RunRecord, moment: str) -> int | str | None:
    if moment == BATCH_NORM:
        return CONTROL
    if moment == ORIGINAL:
        return 0
    if moment == UNLEARNED:
        return record.unlearned
    relearned = {_RELEARNED.format(record.snapshots[i].epoch): i for i in record.stage("relearn")}
    return relearned.get(moment)


def _rounded(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(value, 2)
