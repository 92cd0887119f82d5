"""What several networks say of one image."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pru_demo.figures.palette import OUTLINE, class_color, label_color
from pru_demo.figures.style import INK, PERCENT_TICKS, calm

# Percent; narrower shares have no room for a label or an outline.
LEAST_LABELLED = 6


def opinions_figure(
    opinions: Mapping[str, NDArray[np.floating]],
    class_names: Sequence[str],
    forget: Sequence[int],
    ink: str = INK,
) -> go.Figure:
    """One stacked bar per network: its probabilities (K,), shares labelled where there is room.

    ``ink`` is the theme's colour of text, in which the forgotten classes are outlined.
    """
    figure = go.Figure()
    table = 100 * np.stack(list(opinions.values())[::-1])
    # In two lines a name leaves room for its bar on a phone.
    networks = [name.replace(" (", "<br>(") for name in opinions][::-1]
    for c, name in enumerate(class_names):
        figure.add_bar(
            y=networks,
            x=table[:, c],
            name=str(name),
            orientation="h",
            text=[str(name) if share >= LEAST_LABELLED else "" for share in table[:, c]],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"size": 16, "color": label_color(class_color(c))},
            marker={
                "color": class_color(c),
                "line": {
                    "color": ink if c in forget else OUTLINE,
                    "width": (3 if c in forget else 1) * (table[:, c] >= LEAST_LABELLED),
                },
            },
            hovertemplate=f"class {name}: %{{x:.1f}} %<extra>%{{y}}</extra>",
        )
    figure.update_xaxes(range=[0, 100.5], **PERCENT_TICKS, tickangle=0)
    figure.update_yaxes(type="category", tickfont={"size": 14})
    calm(figure, height=114 + 52 * len(networks))
    figure.update_layout(
        barmode="stack",
        bargap=0.35,
        showlegend=False,
        # Above for the button that saves the image, right for half of "100 %".
        margin={"t": 32, "r": 24},
        # A long name that does not fit its share is left out, not printed small.
        uniformtext={"mode": "hide", "minsize": 12},
    )
    return figure
