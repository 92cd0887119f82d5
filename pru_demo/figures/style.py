"""What all figures share: no frame, calm grid, one type size, room for a thumb.

What the figures of A_f and A_r have in common.
"""

import math
from typing import Literal

import plotly.graph_objects as go

FONT = {"family": "Inter, sans-serif", "size": 14}
GREY = "rgba(128, 136, 148, 0.28)"
# Text and the strongest outlines of the light theme.
INK = "#1b2430"
# Plotly takes no suffix for ticks that are given one by one.
PERCENT_TICKS = {
    "tickvals": [0, 25, 50, 75, 100],
    "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"],
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


def percent_axis(figure: go.Figure, title: str, **where: int) -> None:
    """A y axis from 0 to 100 percent, the same everywhere so that figures can be compared."""
    figure.update_yaxes(title=title, range=[-3, 103], **PERCENT_TICKS, **where)


def epoch_axis(figure: go.Figure, title: str, epochs: float, *, most: int = 12) -> None:
    """Ticks at whole epochs, and at ``most`` of them."""
    figure.update_xaxes(title=title, tick0=0, dtick=max(1, math.ceil(epochs / most)))


Accuracy = Literal["A_f", "A_r"]

TITLES: dict[Accuracy, str] = {
    "A_f": "A_f: accuracy on the forgotten class",
    "A_r": "A_r: accuracy on all others",
}


def accuracy_frame(figure: go.Figure, accuracy: Accuracy, x_title: str, epochs: int) -> go.Figure:
    """Axes from 0 to 100 percent and a legend that takes as many lines as it needs.

    The title stands above the figure on the page: inside, a legend of several lines on a phone
    would run into it.
    """
    percent_axis(figure, accuracy)
    calm(figure, height=350)
    epoch_axis(figure, x_title, epochs)
    legend_above(figure)
    return figure
