"""Runs of different length as one film: the same moment of every run in the same frame."""

from collections.abc import Sequence

from pru_demo.experiment.record import RunRecord, Snapshot
from pru_demo.figures.naming import listed, pick_name
from pru_demo.methods import METHODS

# What the E step's losses do, by the parameter that weighs them.
PULLS = {
    "lambda_p": "moves forgotten samples towards the other classes (L_p)",
    "lambda_o": "pushes the new clusters apart (L_o)",
    "lambda_s": "draws each cluster together (L_s)",
}

Moment = tuple[str, int, str]


def moments(records: Sequence[RunRecord]) -> list[Moment]:
    """(stage, epoch, phase) of every frame: the finest division any run has.

    Unlearning that some run divides into E and C steps is shown in both steps for all.
    """
    found = {_moment(s) for record in records for s in record.snapshots}
    split = {epoch for stage, epoch, phase in found if stage == "unlearn" and phase == "E"}
    kept = [m for m in found if not (m[0] == "unlearn" and m[2] == "all" and m[1] in split)]
    order = {"original": 0, "unlearn": 1, "relearn": 2}
    return sorted(kept, key=lambda m: (order[m[0]], m[1], m[2] != "E"))


def frames_of(record: RunRecord, film: Sequence[Moment]) -> list[int]:
    """For every frame the position of the run's snapshot to show: the latest not after it."""
    positions = []
    for frame in film:
        reached = [i for i, s in enumerate(record.snapshots) if _when(_moment(s)) <= _when(frame)]
        positions.append(reached[-1])
    return positions


def hint(moment: Moment, records: Sequence[RunRecord]) -> str:
    """What happens in this frame, in a sentence for each of the runs if it is not the same."""
    stage, _, phase = moment
    if stage == "original":
        return "The network before anything was forgotten."
    if stage == "relearn":
        return "Training on new images of the other classes only."
    return " ".join(dict.fromkeys(_unlearning(record, phase) for record in records))


def _unlearning(record: RunRecord, phase: str) -> str:
    """What a run does in this phase, as its parameters say; most runs know one phase only."""
    name, params = pick_name(record.config.pick), record.params
    if "c_step_updates" not in params:
        return f"{name}: {METHODS[record.config.pick.method].description}."
    if phase == "E":
        pulls = [does for weight, does in PULLS.items() if params[weight] > 0]
        return f"{name}, E step: the extractor {listed(pulls)}."
    if params["c_step_updates"] == "extractor":
        return f"{name}, C step: the extractor is trained again, by L_p alone."
    return f"{name}, C step: the classifier is trained to agree, by L_p."


def label(moment: Moment) -> str:
    """Name of the frame, as records name their snapshots."""
    stage, epoch, phase = moment
    return Snapshot(stage, epoch, phase, 0.0, 0.0).label  # type: ignore[arg-type]


def _moment(snapshot: Snapshot) -> Moment:
    return snapshot.stage, snapshot.epoch, snapshot.phase


def _when(moment: Moment) -> tuple[int, float]:
    stage, epoch, phase = moment
    return ("original", "unlearn", "relearn").index(stage), epoch - (0.5 if phase == "E" else 0)
