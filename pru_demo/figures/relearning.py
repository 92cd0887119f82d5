"""A_f or A_r while the network relearns, beside the controls and the published values."""

from collections.abc import Sequence

import plotly.graph_objects as go

from pru_demo.figures.accuracy import Accuracy, accuracy_frame
from pru_demo.figures.naming import short_name, stroke_of
from pru_demo.paper.published import relearning as published
from pru_demo.runs.record import RunRecord

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
