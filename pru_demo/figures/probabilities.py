"""What several networks say of one image."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pru_demo.figures.palette import class_color
from pru_demo.figures.style import calm

# Percent; narrower shares have no room for a label or an outline.
LEAST_LABELLED = 6


def opinions_figure(
    opinions: Mapping[str, NDArray[np.floating]],
    class_names: Sequence[str],
    forget: Sequence[int],
) -> go.Figure:
    """One stacked bar per network: its probabilities (K,), largest share labelled."""
    figure = go.Figure()
    networks = list(opinions)[::-1]
    table = 100 * np.stack([opinions[name] for name in networks])
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
            textfont={"size": 16, "color": "#101418"},
            marker={
                "color": class_color(c),
                "line": {
                    "color": "black",
                    "width": 3 * (c in forget) * (table[:, c] >= LEAST_LABELLED),
                },
            },
            hovertemplate=f"class {name}: %{{x:.1f}} %<extra>%{{y}}</extra>",
        )
    figure.update_xaxes(range=[0, 100.5], ticksuffix=" %")
    figure.update_yaxes(type="category")
    calm(figure, height=90 + 52 * len(networks))
    figure.update_layout(barmode="stack", bargap=0.35, showlegend=False, margin_t=8)
    return figure
