"""Attacks that take no epochs: what is answered before and after, as figure, sentence and table."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from pru_demo.experiment.record import RunRecord
from pru_demo.figures.findings import percent
from pru_demo.figures.naming import forgotten_images, pick_name, short_name, stroke_of
from pru_demo.figures.style import (
    BARS,
    GREY,
    PERCENT_TICKS,
    Accuracy,
    calm,
    explain_marker,
)

_ROW = 34


@dataclass(frozen=True)
class AttackedAtOnce:
    """A run, and its network after the attack: A_f and A_r in percent once per draw of the
    attacker's images, and the classes (draws, n) that the shown samples are taken for."""

    record: RunRecord
    A_f: Sequence[float]
    A_r: Sequence[float]
    predicted: NDArray[np.integer]

    @classmethod
    def by_batch_norm(cls, record: RunRecord) -> "AttackedAtOnce | None":
        """The BatchNorm-only control of a record, if it has one."""
        control = record.batch_norm_only
        if control is None:
            return None
        predicted = record.arrays["control_predicted"][np.newaxis]
        return cls(record, [control["A_f"]], [control["A_r"]], predicted)

    def mean(self, accuracy: Accuracy) -> float:
        """Over the draws."""
        return statistics.fmean(self._values(accuracy))

    def deviation(self, accuracy: Accuracy) -> float:
        """Over the draws; 0 where nothing was drawn."""
        values = self._values(accuracy)
        return statistics.stdev(values) if len(values) > 1 else 0.0

    def _values(self, accuracy: Accuracy) -> Sequence[float]:
        return self.A_f if accuracy == "A_f" else self.A_r


def at_once_figure(attacked: Sequence[AttackedAtOnce], accuracy: Accuracy) -> go.Figure:
    """Before (open) and after the attack (filled, bars are the deviation), the first at the top."""
    names = [short_name(each.record.config.pick) for each in attacked]
    colors = [stroke_of(each.record.config.pick).color for each in attacked]
    before = [each.record.relearning(accuracy)[0] for each in attacked]
    after = [each.mean(accuracy) for each in attacked]
    figure = calm(
        height=110 + _ROW * len(attacked),
        x={"range": [-4, 104], **PERCENT_TICKS},
        y={"autorange": "reversed", "type": "category"},
    )
    for name, start, end in zip(names, before, after, strict=True):
        figure.add_scatter(
            x=[start, end],
            y=[name, name],
            mode="lines",
            line={"color": GREY, "width": 4},
            hoverinfo="skip",
            showlegend=False,
        )
    for values, symbol, said in ((before, "circle-open", "before"), (after, "circle", "after")):
        bars = [each.deviation(accuracy) for each in attacked] if said == "after" else None
        figure.add_scatter(
            x=values,
            y=names,
            error_x={**BARS, "array": bars},
            mode="markers",
            marker={"symbol": symbol, "size": 12, "color": colors, "line": {"width": 2}},
            cliponaxis=False,
            showlegend=False,
            hovertemplate=f"%{{y}}<br>{said} the attack: %{{x:.1f}} %<extra></extra>",
        )
        explain_marker(figure, symbol, f"{said} the attack")
    return figure


def at_once_finding(attacked: AttackedAtOnce) -> str:
    """What the attack brings back, and at what price."""
    record = attacked.record
    before_f, before_r = (record.relearning(name)[0] for name in ("A_f", "A_r"))
    return (
        f"**{pick_name(record.config.pick)}**: {percent(attacked.mean('A_f'))} of the "
        f"{forgotten_images(record.config.scenario)} are recognised (before: {percent(before_f)}), "
        f"and {percent(attacked.mean('A_r'))} of everything else (before: {percent(before_r)})."
    )


def again_finding(attacked: AttackedAtOnce, back: int) -> str:
    """How many of the shown samples come ``back``, in at least one draw."""
    name, draws = pick_name(attacked.record.config.pick), len(attacked.predicted)
    if attacked.record.config.pick.method == "original":
        return f"**{name}** has forgotten nothing, so nothing can come back."
    share = percent(100 * back / attacked.record.forgotten.sum())
    return f"**{name}**: {share} come back{' from at least one of the draws' * (draws > 1)}."


def recognised_again(attacked: AttackedAtOnce) -> list[tuple[int, float]]:
    """The shown forgotten samples that were not recognised before and are after the attack, as
    images of the test part, each with the share (0..1) of draws that bring it back, most first."""
    record = attacked.record
    labels = record.arrays["labels"]
    gone = np.flatnonzero(
        record.forgotten & (record.arrays["predicted"][record.unlearned] != labels)
    )
    share = (attacked.predicted == labels)[:, gone].mean(0)
    order = [i for i in np.argsort(-share, kind="stable") if share[i] > 0]
    images = record.arrays["shown"][gone]
    return [(int(images[i]), float(share[i])) for i in order]


def at_once_table(attacked: Sequence[AttackedAtOnce]) -> pd.DataFrame:
    """One row per run: A_f and A_r before and after, in percent, and their deviation."""
    return pd.DataFrame(
        {
            "run": pick_name(each.record.config.pick),
            **{
                f"{accuracy}{what}": value
                for accuracy in ("A_f", "A_r")
                for what, value in (
                    (" before", each.record.relearning(accuracy)[0]),
                    (" after", each.mean(accuracy)),
                    (" deviation", each.deviation(accuracy)),
                )
            },
        }
        for each in attacked
    ).round(2)
