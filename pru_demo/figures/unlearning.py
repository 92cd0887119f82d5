"""A_f or A_r while the network forgets, and the losses that drive it."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pru_demo.config import Pick
from pru_demo.figures.accuracy import Accuracy, accuracy_frame
from pru_demo.figures.naming import short_name, stroke_of
from pru_demo.figures.style import calm, epoch_axis

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
