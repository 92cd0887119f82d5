"""A_f and A_r while the network relearns, beside the controls and the published values."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pru_demo.figures.naming import pick_name, stroke_of
from pru_demo.figures.style import calm, percent_axis
from pru_demo.paper.published import relearning as published
from pru_demo.runs.record import RunRecord


def relearning_figure(
    records: Sequence[RunRecord],
    *,
    epoch: int | None = None,
    show_published: bool = False,
) -> go.Figure:
    """Curves of A_f (left) and A_r (right) over relearning epochs 0–10.

    ``epoch`` draws the position of a slider; everything after it is faint. Open circles left of
    zero are the BatchNorm-only control; stars are Table 2 of the paper.
    """
    figure = make_subplots(
        cols=2, subplot_titles=("A_f: accuracy on the forgotten class", "A_r: on all others")
    )
    for record in records:
        _add_run(figure, record, epoch)
        if show_published:
            _add_published(figure, record)
    _explain(figure, "circle-open", "BatchNorm-only control")
    if show_published:
        _explain(figure, "star", "published")
    figure.update_xaxes(title="relearning epoch", dtick=1, range=[-0.9, 10.4])
    percent_axis(figure, "")
    if epoch is not None:
        figure.add_vline(epoch, line={"color": "rgba(128,136,148,0.8)", "width": 1})
    calm(figure, height=400)
    figure.update_layout(margin_t=84, legend_y=1.14)
    return figure


def _add_run(figure: go.Figure, record: RunRecord, epoch: int | None) -> None:
    pick = record.config.pick
    name, stroke = pick_name(pick), stroke_of(pick)
    for column, accuracy in enumerate(("A_f", "A_r"), start=1):
        values = record.relearning(accuracy)  # type: ignore[arg-type]
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
                row=1,
                col=column,
            )
        figure.add_scatter(
            x=list(range(reached)),
            y=values[:reached],
            name=name,
            legendgroup=name,
            showlegend=column == 1,
            mode="lines+markers",
            line=line,
            marker={"symbol": stroke.symbol, "size": 8},
            hovertemplate=f"{name}<br>epoch %{{x}}: %{{y:.1f}} %<extra></extra>",
            row=1,
            col=column,
        )
        if record.batch_norm_only:
            figure.add_scatter(
                x=[-0.5],
                y=[record.batch_norm_only[accuracy]],
                mode="markers",
                marker={
                    "symbol": "circle-open",
                    "size": 13,
                    "color": stroke.color,
                    "line": {"width": 3},
                },
                showlegend=False,
                hovertemplate=(f"{name}<br>BatchNorm-only control: %{{y:.1f}} %<extra></extra>"),
                row=1,
                col=column,
            )


def _explain(figure: go.Figure, symbol: str, name: str) -> None:
    """A line in the legend for markers that every run has in its own colour."""
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        name=name,
        marker={"symbol": symbol, "size": 11, "color": "#7d8794", "line": {"width": 2}},
        row=1,
        col=1,
    )


def _add_published(figure: go.Figure, record: RunRecord) -> None:
    scenario, pick = record.config.scenario, record.config.pick
    row = published(scenario.dataset, scenario.model, pick.method)
    if row is None:
        return
    for column, accuracy in enumerate(("A_f", "A_r"), start=1):
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
            showlegend=False,
            hovertemplate=(
                f"{pick_name(pick).split(' (')[0]} as published (Table 2)"
                "<br>epoch %{x}: %{y:.1f} %<extra></extra>"
            ),
            row=1,
            col=column,
        )
