"""What a film of moving samples is made of, for the player and for the exported file alike.

Runs of different length make one film: the same moment of every run is in the same frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from pru_demo.experiment.record import RunRecord, Snapshot, Stage
from pru_demo.figures.naming import listed, pick_name
from pru_demo.methods import METHODS

Floats: TypeAlias = npt.NDArray[np.floating]
Bytes: TypeAlias = npt.NDArray[np.uint8]

# What the E step's losses do, by the parameter that weighs them.
PULLS = {
    "lambda_p": "moves forgotten samples towards the other classes (L_p)",
    "lambda_o": "pushes the new clusters apart (L_o)",
    "lambda_s": "draws each cluster together (L_s)",
}


@dataclass(frozen=True, eq=False)
class Panel:
    """One method's map: T frames of the same n samples.

    Attributes:
        title: name of the method.
        color: its colour, ``#rrggbb``.
        xy: (T, n, 2) places on the map, in map units shared by all panels.
        top: (T, n, 3) uint8, indices of the three most probable classes, the prediction first;
            fewer where there are fewer classes.
        p_top: probabilities of those, from 0 to 1.
        p_f: (T, n) from 0 to 1, probability given to the forgotten classes.
        moved: (T, n) >= 0, displacement in feature space since frame 0, in units of the mean
            distance between class centres.
        note: one short line under the title, or "".
        guest: (T, 2) places of the visitor's own image, NaN where they were not computed; None
            where there is none.
    """

    title: str
    color: str
    xy: Floats
    top: Bytes
    p_top: Floats
    p_f: Floats
    moved: Floats
    note: str = ""
    guest: Floats | None = None


@dataclass(frozen=True)
class Frame:
    """A moment: its name ("Epoch 3 · E step"), its stage, one sentence on what happens in it."""

    label: str
    stage: Stage
    hint: str


def bounds(panels: Sequence[Panel]) -> tuple[Floats, Floats]:
    """Lower left and upper right corner (2,) of the box that holds all samples and guests."""
    places = [panel.xy.reshape(-1, 2) for panel in panels]
    guests = [panel.guest for panel in panels if panel.guest is not None]
    places += [guest[np.isfinite(guest).all(axis=1)] for guest in guests]
    everywhere = np.concatenate(places)
    return everywhere.min(axis=0), everywhere.max(axis=0)


class FilmMoment(NamedTuple):
    """The moment that a frame shows of every run."""

    stage: Stage
    epoch: int
    phase: str

    @property
    def label(self) -> str:
        """As records name their snapshots."""
        return self._snapshot.label

    @property
    def when(self) -> tuple[int, float]:
        """Moments in time have this in order."""
        return get_args(Stage).index(self.stage), self._snapshot.position

    @property
    def _snapshot(self) -> Snapshot:
        return Snapshot(*self, A_f=0.0, A_r=0.0)


def moments(records: Sequence[RunRecord]) -> list[FilmMoment]:
    """The moment of every frame: the finest division any run has.

    Unlearning that some run divides into E and C steps is shown in both steps for all.
    """
    known = {_moment(s) for record in records for s in record.snapshots}
    split = {m.epoch for m in known if m.stage == "unlearn" and m.phase == "E"}
    whole = {m for m in known if m.stage == "unlearn" and m.phase == "all" and m.epoch in split}
    return sorted(known - whole, key=lambda m: m.when)


def frames_of(record: RunRecord, film: Sequence[FilmMoment]) -> list[int]:
    """For every frame the position of the run's snapshot to show: the latest not after it."""
    times = [_moment(s).when for s in record.snapshots]
    return [max(i for i, time in enumerate(times) if time <= m.when) for m in film]


def hint(moment: FilmMoment, records: Sequence[RunRecord]) -> str:
    """What happens in this frame, in a sentence for each of the runs if it is not the same."""
    if moment.stage == "original":
        return "The network before anything was forgotten."
    if moment.stage == "relearn":
        return "Training on new images of the other classes only."
    return " ".join(dict.fromkeys(_unlearning(record, moment.phase) for record in records))


def _unlearning(record: RunRecord, phase: str) -> str:
    """What a run does in this phase, as its parameters say; most runs know one phase only."""
    name, params = pick_name(record.config.pick), record.params
    if "c_step_updates" not in params:
        return f"{name}: {METHODS[record.config.pick.method].description}."
    if phase == "E":
        pulls = [does for weight, does in PULLS.items() if params[weight] > 0]
        return f"{name}, E step: the extractor {listed(pulls) or 'is left alone'}."
    if params["c_step_updates"] == "extractor":
        return f"{name}, C step: the extractor is trained again, by L_p alone."
    return f"{name}, C step: the classifier is trained to agree, by L_p."


def _moment(snapshot: Snapshot) -> FilmMoment:
    return FilmMoment(snapshot.stage, snapshot.epoch, snapshot.phase)
