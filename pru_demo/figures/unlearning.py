"""A_f and A_r while the network forgets, and the losses that drive it."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pru_demo.config import Pick
from pru_demo.figures.naming import pick_name, stroke_of
from pru_demo.figures.style import GREY, calm, percent_axis

Snapshots = Sequence[Mapping[str, Any]]


def unlearning_figure(runs: Mapping[Pick, Snapshots], epochs: int) -> go.Figure:
    """A_f (left) and A_r (right) over unlearning epochs 0 to ``epochs``.

    ``runs`` hold snapshots as a record or a running job reports them: dictionaries with ``stage``,
    ``epoch``, ``phase``, ``A_f`` and ``A_r`` (percent). Half epochs are E and C steps.
    """
    figure = make_subplots(
        cols=2, subplot_titles=("A_f: accuracy on the forgotten class", "A_r: on all others")
    )
    for pick, snapshots in runs.items():
        name, stroke = pick_name(pick), stroke_of(pick)
        seen = [s for s in snapshots if s["stage"] != "relearn"]
        for column, accuracy in enumerate(("A_f", "A_r"), start=1):
            figure.add_scatter(
                x=[position(s) for s in seen],
                y=[s[accuracy] for s in seen],
                text=[s["label"] for s in seen],
                name=name,
                showlegend=column == 1,
                mode="lines+markers",
                line={"color": stroke.color, "dash": stroke.dash, "width": 3},
                marker={"symbol": stroke.symbol, "size": 8},
                hovertemplate=f"{name}<br>%{{text}}: %{{y:.1f}} %<extra></extra>",
                row=1,
                col=column,
            )
    figure.update_xaxes(title="unlearning epoch", dtick=1, range=[-0.3, epochs + 0.3])
    percent_axis(figure, "")
    calm(figure, height=380)
    figure.update_layout(margin_t=84, legend_y=1.14)
    return figure


def loss_figure(snapshots: Snapshots) -> go.Figure:
    """The mean losses of one method's half epochs, each on its own small axis."""
    steps = [s for s in snapshots if s["stage"] == "unlearn" and s["losses"]]
    names = list(dict.fromkeys(name for s in steps for name in s["losses"]))
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
                    line={"color": "#7a5195" if phase == "C" else "#2f7f79", "width": 2},
                    marker={"symbol": symbol, "size": 7},
                    hovertemplate=f"{name}, epoch %{{x}}: %{{y:.3f}}<extra></extra>",
                    row=1,
                    col=column,
                )
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(rangemode="tozero", gridcolor=GREY)
    calm(figure, height=260)
    figure.update_layout(margin_t=70, legend_y=1.18)
    return figure


def position(snapshot: Mapping[str, Any]) -> float:
    """Where a snapshot lies on the axis of unlearning epochs: an E step is half an epoch."""
    if snapshot["stage"] == "original":
        return 0.0
    return float(snapshot["epoch"]) - (0.5 if snapshot["phase"] == "E" else 0.0)
