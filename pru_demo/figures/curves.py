"""A_f or A_r while the network forgets, and the losses that drive it.

A_f or A_r while the network relearns, beside the controls and the published values.

Unlearning and, behind it, relearning on one axis, for runs of different length.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pru_demo.config import Pick
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.naming import short_name, stroke_of
from pru_demo.figures.style import GREY, Accuracy, accuracy_frame, calm, epoch_axis
from pru_demo.paper.published import relearning as published

Snapshots = Sequence[Mapping[str, Any]]

# What each loss is, in the order in which they are drawn; others say so by their name.
LOSS_TERMS = {
    "L_p": "how far the answers are from the redistributed probabilities (Eq. 5)",
    "L_o": "large while the new clusters lie close together (Eq. 3)",
    "L_s": "how far the members of a cluster lie from each other (Eq. 4)",
    "cross-entropy": "how little the network believes in the labels it is given",
}


def unlearning_figure(runs: Mapping[Pick, Snapshots], accuracy: Accuracy, epochs: int) -> go.Figure:
    """A_f or A_r over unlearning epochs 0 to ``epochs``.

    ``runs`` hold snapshots as a record or a running job reports them: dictionaries with ``stage``,
    ``epoch``, ``phase``, ``A_f`` and ``A_r`` (percent). Half epochs are E and C steps.
    """
    figure = go.Figure()
    for pick, snapshots in runs.items():
        name, stroke = short_name(pick), stroke_of(pick)
        seen = [s for s in snapshots if s["stage"] != "relearn"]
        figure.add_scatter(
            x=[position(s) for s in seen],
            y=[s[accuracy] for s in seen],
            text=[s["label"] for s in seen],
            name=name,
            # Also a single run is named: Plotly hides the legend of one curve.
            showlegend=True,
            mode="lines+markers",
            line={"color": stroke.color, "dash": stroke.dash, "width": 3},
            marker={"symbol": stroke.symbol, "size": 8},
            hovertemplate=f"{name}<br>%{{text}}: %{{y:.1f}} %<extra></extra>",
        )
    accuracy_frame(figure, accuracy, "unlearning epoch", epochs)
    figure.update_xaxes(range=[-0.3, epochs + 0.3])
    return figure


def loss_figure(snapshots: Snapshots) -> go.Figure:
    """The mean losses of one method's half epochs, each on its own small axis."""
    steps = [s for s in snapshots if s["stage"] == "unlearn" and s["losses"]]
    present = {name for s in steps for name in s["losses"]}
    names = [name for name in LOSS_TERMS if name in present] + sorted(present - set(LOSS_TERMS))
    figure = make_subplots(cols=max(1, len(names)), subplot_titles=names)
    for column, name in enumerate(names, start=1):
        for phase, symbol in (("E", "circle"), ("C", "square"), ("all", "diamond")):
            chosen = [s for s in steps if s["phase"] == phase and name in s["losses"]]
            if chosen:
                figure.add_scatter(
                    x=[position(s) for s in chosen],
                    y=[s["losses"][name] for s in chosen],
                    name=f"{phase} step" if phase != "all" else "whole epoch",
                    showlegend=column == 1,
                    mode="lines+markers",
                    line={"color": "#cc79a7" if phase == "C" else "#009e73", "width": 2},
                    marker={"symbol": symbol, "size": 7},
                    hovertemplate=f"{name}, epoch %{{x}}: %{{y:.3f}}<extra></extra>",
                    row=1,
                    col=column,
                )
    epochs = max((position(s) for s in steps), default=0)
    epoch_axis(figure, "epoch", epochs, most=5)
    figure.update_xaxes(range=[-0.2, epochs + 0.2])
    calm(figure, height=260)
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(margin_t=70, legend_y=1.18)
    return figure


def loss_terms(snapshots: Snapshots) -> str:
    """The losses and steps of :func:`loss_figure` explained, in one line of Markdown."""
    steps = [s for s in snapshots if s["stage"] == "unlearn" and s["losses"]]
    present = {name for s in steps for name in s["losses"]}
    terms = [f"**{name}**: {text}" for name, text in LOSS_TERMS.items() if name in present]
    if any(s["phase"] in ("E", "C") for s in steps):
        terms.append(
            "**E step**: half an epoch in which the extractor learns; **C step**: the other half, "
            "in which the classifier is brought into agreement (in the released code the extractor "
            "again)"
        )
    return ". ".join(terms) + "." if terms else ""


def position(snapshot: Mapping[str, Any]) -> float:
    """Where a snapshot lies on the axis of unlearning epochs: an E step is half an epoch."""
    if snapshot["stage"] == "original":
        return 0.0
    return float(snapshot["epoch"]) - (0.5 if snapshot["phase"] == "E" else 0.0)


# Left of epoch 0: the control is not a point of time.
CONTROL_X = -0.5


def relearning_figure(
    records: Sequence[RunRecord],
    accuracy: Accuracy,
    *,
    epoch: int | None = None,
    show_published: bool = False,
) -> go.Figure:
    """Curves over all relearning epochs of the ``records``, of which there is at least one.

    ``epoch`` draws the position of a slider; everything after it is faint. Open circles left of
    zero are the BatchNorm-only control, where there is one; stars are Table 2 of the paper.
    """
    figure = go.Figure()
    for record in records:
        _add_curve(figure, record, accuracy, epoch)
        _add_control(figure, record, accuracy)
        if show_published:
            _add_published(figure, record, accuracy)
    if any(record.batch_norm_only is not None for record in records):
        _explain(figure, "circle-open", "BatchNorm-only control")
    if show_published:
        _explain(figure, "star", "published")
    if epoch is not None:
        figure.add_vline(epoch, line={"color": "rgba(128,136,148,0.8)", "width": 1})
    last = max(record.config.scenario.relearn_epochs for record in records)
    accuracy_frame(figure, accuracy, "relearning epoch", last)
    figure.update_xaxes(range=[CONTROL_X - 0.04 * last, last * 1.04])
    return figure


def _add_curve(figure: go.Figure, record: RunRecord, accuracy: Accuracy, epoch: int | None) -> None:
    name, stroke = short_name(record.config.pick), stroke_of(record.config.pick)
    values = record.relearning(accuracy)
    reached = len(values) if epoch is None else epoch + 1
    line = {"color": stroke.color, "dash": stroke.dash, "width": 3}
    if reached < len(values):
        figure.add_scatter(
            x=list(range(reached - 1, len(values))),
            y=values[reached - 1 :],
            mode="lines",
            line={**line, "width": 1.5},
            opacity=0.35,
            hoverinfo="skip",
            showlegend=False,
        )
    figure.add_scatter(
        x=list(range(reached)),
        y=values[:reached],
        name=name,
        mode="lines+markers",
        line=line,
        marker={"symbol": stroke.symbol, "size": 8},
        hovertemplate=f"{name}<br>epoch %{{x}}: %{{y:.1f}} %<extra></extra>",
    )


def _add_control(figure: go.Figure, record: RunRecord, accuracy: Accuracy) -> None:
    if record.batch_norm_only is None:
        return
    name, stroke = short_name(record.config.pick), stroke_of(record.config.pick)
    figure.add_scatter(
        x=[CONTROL_X],
        y=[record.batch_norm_only[accuracy]],
        mode="markers",
        marker={"symbol": "circle-open", "size": 13, "color": stroke.color, "line": {"width": 3}},
        # Whole also at 0 and 100 percent.
        cliponaxis=False,
        showlegend=False,
        hovertemplate=f"{name}<br>BatchNorm-only control: %{{y:.1f}} %<extra></extra>",
    )


def _add_published(figure: go.Figure, record: RunRecord, accuracy: Accuracy) -> None:
    scenario, pick = record.config.scenario, record.config.pick
    row = published(scenario.dataset, scenario.model, pick.method)
    if row is None:
        return
    figure.add_scatter(
        x=row["epochs"],
        y=row[accuracy],
        mode="markers",
        marker={
            "symbol": "star",
            "size": 13,
            "color": stroke_of(pick).color,
            "line": {"color": "white", "width": 1},
        },
        cliponaxis=False,
        showlegend=False,
        hovertemplate="Published (Table 2)<br>epoch %{x}: %{y:.1f} %<extra></extra>",
    )


def _explain(figure: go.Figure, symbol: str, name: str) -> None:
    """A line in the legend for markers that every run has in its own colour."""
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        name=name,
        marker={"symbol": symbol, "size": 11, "color": "#7d8794", "line": {"width": 2}},
    )


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
