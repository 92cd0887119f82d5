"""One run with several seeds: how far its results lie apart, as a band behind its curve and in
words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import plotly.graph_objects as go

from pru_demo.config import Pick
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.spread import Spread, whole_runs
from pru_demo.figures.naming import short_name, stroke_of
from pru_demo.figures.style import Accuracy, add_line

Seeds: TypeAlias = Mapping[Pick, Sequence[RunRecord]]
"""The records of what is shown, each with all seeds that there are. Those that broke the network
count for nothing."""

NO_SEEDS: Seeds = {}

# Two bands on each other can still be told from one.
_FAINT = 0.2


def unlearning_spread(seeds: Seeds, pick: Pick, accuracy: Accuracy) -> dict[float, Spread]:
    """By position in epochs of unlearning, where E steps end at halves."""
    return _spread(
        {s.position: getattr(s, accuracy) for s in run.snapshots if s.stage != "relearn"}
        for run in whole_runs(seeds.get(pick, ()))
    )


def relearning_spread(seeds: Seeds, pick: Pick, accuracy: Accuracy) -> dict[float, Spread]:
    """By epoch of relearning, 0 is right after unlearning."""
    return _spread(
        dict(enumerate(run.relearning(accuracy))) for run in whole_runs(seeds.get(pick, ()))
    )


def _spread(curves: Iterable[Mapping[float, float]]) -> dict[float, Spread]:
    """Of numbers by epoch, at all epochs that each of the ``curves`` reached; {} for a single
    one."""
    first, *others = [*curves] or [{}]
    if not others:
        return {}
    common = [epoch for epoch in first if all(epoch in each for each in others)]
    return {epoch: Spread.of(each[epoch] for each in (first, *others)) for epoch in common}


def add_band(figure: go.Figure, pick: Pick, spread: Mapping[float, Spread]) -> None:
    """Lowest to highest percentage by epoch as a faint band, and the mean as a thin line."""
    if not spread:
        return
    x, found = list(spread), list(spread.values())
    figure.add_scatter(
        x=[*x, *reversed(x)],
        y=[*(each.highest for each in found), *(each.lowest for each in reversed(found))],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=stroke_of(pick).color,
        opacity=_FAINT,
        hoverinfo="skip",
        showlegend=False,
    )
    add_line(
        figure,
        pick,
        x,
        [each.mean for each in found],
        f"{short_name(pick)}, epoch %{{x}}<br>%{{text}}",
        text=[
            f"mean {each.mean:.1f} %, {each.lowest:.1f} to {each.highest:.1f} % over "
            f"{each.runs} seeds"
            for each in found
        ],
        width=1,
        marker=0,
        showlegend=False,
    )


def with_range(spread: Spread) -> str:
    """``12.3 (10.0–15.1 of 3 seeds)``: of percentages, for a column that says so."""
    return f"{spread.mean:.1f} ({spread.lowest:.1f}–{spread.highest:.1f} of {spread.runs} seeds)"
