"""Unlearning and, behind it, relearning on one axis, for runs of different length."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pru_demo.figures.style import GREY
from pru_demo.figures.unlearning import position
from pru_demo.runs.record import RunRecord

# More labels than these would run into each other.
MOST_TICKS = 12


@dataclass(frozen=True)
class Timeline:
    """``unlearning`` epochs of the longest run, then ``relearning`` epochs. The BatchNorm-only
    control lies between them: it comes after the one and is not a part of the other."""

    unlearning: int
    relearning: int

    @classmethod
    def covering(cls, records: Sequence[RunRecord]) -> "Timeline":
        """The axis on which all ``records`` fit."""
        snapshots = [s for record in records for s in record.snapshots]
        longest = {
            stage: max((s.epoch for s in snapshots if s.stage == stage), default=0)
            for stage in ("unlearn", "relearn")
        }
        return cls(longest["unlearn"], longest["relearn"])

    @property
    def end(self) -> int:
        """Where the axis ends."""
        return self.unlearning + self.relearning

    @property
    def control(self) -> float:
        """Where the BatchNorm-only control is drawn."""
        return self.unlearning + 0.5

    def of(self, record: RunRecord) -> list[float]:
        """Where each snapshot of ``record`` lies."""
        return [
            float(self.unlearning + s.epoch) if s.stage == "relearn" else position(vars(s))
            for s in record.snapshots
        ]

    def draw(self, figure: go.Figure) -> None:
        """Give all x axes of ``figure`` this scale, with the border between the two stages."""
        step = max(1, math.ceil(self.end / MOST_TICKS))
        before = list(range(0, self.unlearning + 1, step))
        after = list(range(step, self.relearning + 1, step))
        figure.update_xaxes(
            title="epoch (+: of relearning)",
            range=[-0.3, self.end + 0.3],
            tickvals=[*before, *(self.unlearning + e for e in after)],
            ticktext=[*map(str, before), *(f"+{e}" for e in after)],
        )
        figure.add_vrect(
            self.unlearning,
            self.end + 0.3,
            fillcolor=GREY,
            opacity=0.35,
            line_width=0,
            layer="below",
        )
