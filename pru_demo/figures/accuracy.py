"""What the figures of A_f and A_r have in common."""

from typing import Literal

import plotly.graph_objects as go

from pru_demo.figures.style import calm, epoch_axis, legend_above, percent_axis

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
