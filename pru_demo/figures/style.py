"""What all figures share: layout and axes, the line of a run, and the markers beside it.

No frame, calm grid, one type size, room for a thumb.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pru_demo.config import Pick
from pru_demo.figures.naming import short_name, stroke_of
from pru_demo.figures.palette import OUTLINE

FONT = {"family": "Inter, sans-serif", "size": 14}
GREY = "rgba(128, 136, 148, 0.28)"
# Text and the strongest outlines of the light theme.
INK = "#1b2430"
# Plotly takes no suffix for ticks that are given one by one.
PERCENT_TICKS = {
    "tickvals": [0, 25, 50, 75, 100],
    "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"],
}

Accuracy = Literal["A_f", "A_r"]
TITLES: dict[Accuracy, str] = {
    "A_f": "A_f: accuracy on the forgotten class",
    "A_r": "A_r: accuracy on all others",
}


# More labels than these would run into each other.
MOST_TICKS = 12
AXIS = {"gridcolor": GREY, "zeroline": False, "fixedrange": True, "automargin": True}
# What spread is drawn with, readable on both themes.
BARS: dict[str, Any] = {"type": "data", "color": OUTLINE, "thickness": 2, "width": 5}
# A legend that takes as many lines as it needs, where the title stands on the page: inside, several
# lines on a phone would run into it.
LEGEND_ABOVE: dict[str, Any] = {
    "margin": {"t": 8},
    "legend": {"y": 1.03, "font": {"size": 13}, "entrywidth": 0},
}


def calm(
    *,
    height: int,
    x: Mapping[str, Any] = {},
    y: Mapping[str, Any] = {},
    margin: Mapping[str, int] = {},
    legend: Mapping[str, Any] = {},
    **layout: Any,
) -> go.Figure:
    """An empty figure in the common layout and what is given beside it or instead.

    ``x`` and ``y`` are of its axes. Made in one go: Plotly takes several times as long to update.
    """
    common = {
        "height": height,
        "font": FONT,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 8, "t": 36, "b": 8, **margin},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, **legend},
        "hoverlabel": {"font": FONT},
        "dragmode": False,
        "xaxis": {**AXIS, **x},
        "yaxis": {**AXIS, **y},
    }
    return go.Figure(layout=common | layout)


def percent_axis(title: str) -> dict[str, Any]:
    """A y axis from 0 to 100 percent, the same everywhere so that figures can be compared."""
    return {"title": title, "range": [-3, 103], **PERCENT_TICKS}


def tick_step(epochs: float, most: int = MOST_TICKS) -> int:
    """Every how many ``epochs`` a tick stands, so that there are not more than ``most``."""
    return max(1, math.ceil(epochs / most))


def epoch_axis(
    title: str, first: float, last: float, epochs: float, *, most: int = MOST_TICKS
) -> dict[str, Any]:
    """An x axis from ``first`` to ``last``, with ticks at whole ``epochs`` and at ``most`` of
    them."""
    dtick = tick_step(epochs, most)
    return {"title": title, "range": [first, last], "tick0": 0, "dtick": dtick}


def accuracy_figure(accuracy: Accuracy, x: Mapping[str, Any]) -> go.Figure:
    """An empty figure of an accuracy in percent over the axis ``x``."""
    return calm(height=350, x=x, y=percent_axis(accuracy), **LEGEND_ABOVE)


def add_line(
    figure: go.Figure,
    pick: Pick,
    x: Sequence[Any],
    y: Sequence[Any] | NDArray[np.floating],
    hover: str | None,
    *,
    width: float = 3,
    marker: float = 8,
    symbol: str | None = None,
    **more: Any,
) -> None:
    """A curve in the colour, dash and marker of its method.

    ``hover`` is what is said of a point; None: nothing. ``marker`` is the size of the markers; 0:
    there are none. ``symbol`` is another marker than the method's. ``more`` are other properties
    of Plotly's scatter, among them a ``name`` other than that of the run.
    """
    stroke = stroke_of(pick)
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers" if marker else "lines",
        line={"color": stroke.color, "dash": stroke.dash, "width": width},
        marker={"symbol": symbol or stroke.symbol, "size": marker} if marker else None,
        hovertemplate=hover and f"{hover}<extra></extra>",
        hoverinfo=None if hover else "skip",
        **{"name": short_name(pick), **more},
    )


def add_marks(
    figure: go.Figure,
    pick: Pick,
    x: Sequence[float],
    y: Sequence[float | None],
    hover: str,
    *,
    symbol: str,
    line: Mapping[str, Any],
) -> None:
    """Markers in the method's colour that are no points of its curve, whole also at 0 and 100
    percent; what they are says :func:`explain_marker`."""
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"symbol": symbol, "size": 13, "color": stroke_of(pick).color, "line": line},
        cliponaxis=False,
        showlegend=False,
        hovertemplate=f"{hover}<extra></extra>",
    )


def add_control(figure: go.Figure, pick: Pick, x: float, y: float | None, number: str) -> None:
    """The BatchNorm-only control of a run, an open circle; ``number`` is Plotly's format of y."""
    hover = f"{short_name(pick)}<br>BatchNorm-only control: {number}"
    add_marks(figure, pick, [x], [y], hover, symbol="circle-open", line={"width": 3})


def explain_marker(figure: go.Figure, symbol: str, name: str) -> None:
    """A line in the legend for markers that every run has in its own colour."""
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        name=name,
        marker={"symbol": symbol, "size": 11, "color": OUTLINE, "line": {"width": 2}},
    )
