"""Runs of different length as one film: the same moment of every run in the same frame."""

from collections.abc import Sequence

from pru_demo.runs.record import RunRecord, Snapshot

HINTS = {
    "original": "The network before anything was forgotten.",
    "E": "E step: the extractor pulls forgotten samples into their new clusters.",
    "C": "C step: the classifier is brought into agreement.",
    "all": "All weights are trained on the forgotten samples with new labels.",
    "relearn": "Training on new images of the other classes only.",
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


def hint(moment: Moment) -> str:
    """One sentence on what happens in this frame."""
    stage, _, phase = moment
    return HINTS[phase] if stage == "unlearn" else HINTS[stage]


def label(moment: Moment) -> str:
    """Name of the frame, as records name their snapshots."""
    stage, epoch, phase = moment
    return Snapshot(stage, epoch, phase, 0.0, 0.0).label  # type: ignore[arg-type]


def _moment(snapshot: Snapshot) -> Moment:
    return snapshot.stage, snapshot.epoch, snapshot.phase


def _when(moment: Moment) -> tuple[int, float]:
    stage, epoch, phase = moment
    return ("original", "unlearn", "relearn").index(stage), epoch - (0.5 if phase == "E" else 0)
