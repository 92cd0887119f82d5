"""umap-learn's own pictures of single snapshots, for readers who want the view they know."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pru_demo.data import DATASETS
from pru_demo.figures.palette import OUTLINE, class_color
from pru_demo.figures.style import INK, calm
from pru_demo.runs.record import RunRecord, shown_forgotten

# More classes than this would push the picture out of its own figure.
MOST_NAMED = 20


def classic_figures(
    record: RunRecord, places: NDArray[np.floating], ink: str = INK
) -> dict[str, go.Figure]:
    """Separate UMAPs by the name of their moment: original, unlearned, last relearned snapshot.

    ``places`` (3, n, 2); ``ink`` is the theme's colour of text, which outlines what was forgotten.
    """
    moments = [0, record.unlearned, len(record.snapshots) - 1]
    titles = [record.snapshots[i].label for i in moments]
    return {title: _snapshot(record, xy, ink) for title, xy in zip(titles, places, strict=True)}


def _snapshot(record: RunRecord, xy: NDArray[np.floating], ink: str) -> go.Figure:
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
