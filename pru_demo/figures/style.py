"""What all figures share: layout and axes, the line of a run, and the markers beside it.

No frame, calm grid, one type size, room for a thumb.
"""

import math
from collections.abc import Sequence
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


def calm(figure: go.Figure, *, height: int) -> go.Figure:
    """Apply the common layout in place and return ``figure``."""
    figure.update_layout(
        height=height,
        font=FONT,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
        hoverlabel={"font": FONT},
        dragmode=False,
    )
    axes = {"gridcolor": GREY, "zeroline": False, "fixedrange": True, "automargin": True}
    figure.update_xaxes(**axes)
    figure.update_yaxes(**axes)
    return figure


def legend_above(figure: go.Figure) -> None:
    """A legend that takes as many lines as it needs, where the title stands on the page."""
    figure.update_layout(margin_t=8, legend={"y": 1.03, "font_size": 13, "entrywidth": 0})


def percent_axis(figure: go.Figure, title: str) -> None:
    """A y axis from 0 to 100 percent, the same everywhere so that figures can be compared."""
    figure.update_yaxes(title=title, range=[-3, 103], **PERCENT_TICKS)


def epoch_axis(figure: go.Figure, title: str, epochs: float, *, most: int = 12) -> None:
    """Ticks at whole epochs, and at ``most`` of them."""
    figure.update_xaxes(title=title, tick0=0, dtick=max(1, math.ceil(epochs / most)))


def accuracy_frame(figure: go.Figure, accuracy: Accuracy, x_title: str, epochs: int) -> None:
    """Axes from 0 to 100 percent and a legend that takes as many lines as it needs.

    The title stands above the figure on the page: inside, a legend of several lines on a phone
    would run into it.
    """
    percent_axis(figure, accuracy)
    calm(figure, height=350)
    epoch_axis(figure, x_title, epochs)
    legend_above(figure)


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


def add_control(figure: go.Figure, pick: Pick, x: float, y: float | None, number: str) -> None:
    """The BatchNorm-only control of a run, an open circle; ``number`` is Plotly's format of y."""
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers",
        marker={
            "symbol": "circle-open",
            "size": 13,
            "color": stroke_of(pick).color,
            "line": {"width": 3},
        },
        # Whole also at 0 and 100 percent.
        cliponaxis=False,
        showlegend=False,
        hovertemplate=f"{short_name(pick)}<br>BatchNorm-only control: {number}<extra></extra>",
    )


def explain_marker(figure: go.Figure, symbol: str, name: str) -> None:
    """A line in the legend for markers that every run has in its own colour."""
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        name=name,
        marker={"symbol": symbol, "size": 11, "color": OUTLINE, "line": {"width": 2}},
    )
