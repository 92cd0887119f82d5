"""umap-learn's own picture of a single snapshot, for readers who want the view they know."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pru_demo.data import DATASETS
from pru_demo.experiment.record import RunRecord, shown_forgotten
from pru_demo.figures.palette import OUTLINE, class_color
from pru_demo.figures.style import INK, calm

# More classes than this would push the picture out of its own figure.
MOST_NAMED = 20


def classic_figure(record: RunRecord, xy: NDArray[np.floating], ink: str = INK) -> go.Figure:
    """UMAP ``xy`` (n, 2) of one snapshot, coloured by true class; what was forgotten is outlined
    with ``ink``, the theme's colour of text, and lies on top."""
    figure = go.Figure()
    labels, forgotten = record.arrays["labels"], shown_forgotten(record)
    names = DATASETS[record.config.scenario.dataset].class_names
    for c in np.unique(labels):
        members = labels == c
        outlined = bool(forgotten[members].any())
        figure.add_scatter(
            x=xy[members, 0],
            y=xy[members, 1],
            mode="markers",
            name=str(names[c]),
            # What was forgotten lies on top.
            zorder=int(outlined),
            marker={
                "size": 7 if outlined else 5,
                "color": class_color(int(c)),
                "line": {
                    "color": ink if outlined else OUTLINE,
                    "width": 1.5 if outlined else 0.5,
                },
            },
            hovertemplate=f"true class {names[c]}<extra></extra>",
        )
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    calm(figure, height=380)
    figure.update_layout(
        showlegend=len(names) <= MOST_NAMED,
        legend={"y": -0.02, "yanchor": "top", "itemsizing": "constant", "font_size": 13},
        margin_t=32,
    )
    return figure
