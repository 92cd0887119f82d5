"""umap-learn's own pictures of single snapshots, for readers who want the view they know."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from pru_demo.data import DATASETS
from pru_demo.figures.naming import pick_name
from pru_demo.figures.palette import class_color
from pru_demo.figures.style import calm
from pru_demo.runs.record import RunRecord, shown_forgotten


def classic_figure(record: RunRecord, places: NDArray[np.floating]) -> go.Figure:
    """Three separate UMAPs, ``places`` (3, n, 2): original, unlearned, last relearned snapshot."""
    moments = [0, record.unlearned, len(record.snapshots) - 1]
    titles = [record.snapshots[i].label for i in moments]
    figure = make_subplots(cols=3, subplot_titles=titles, horizontal_spacing=0.02)
    labels, forgotten = record.arrays["labels"], shown_forgotten(record)
    names = DATASETS[record.config.scenario.dataset].class_names
    for column, xy in enumerate(places, start=1):
        for c in np.unique(labels):
            members = labels == c
            outlined = bool(forgotten[members].any())
            figure.add_scatter(
                x=xy[members, 0],
                y=xy[members, 1],
                mode="markers",
                name=str(names[c]),
                legendgroup=str(names[c]),
                showlegend=column == 1,
                marker={
                    "size": 6 if outlined else 4,
                    "color": class_color(int(c)),
                    "line": {"color": "black", "width": 1 if outlined else 0},
                },
                hovertemplate=f"true class {names[c]}<extra></extra>",
                row=1,
                col=column,
            )
    figure.update_xaxes(showticklabels=False)
    figure.update_yaxes(showticklabels=False)
    calm(figure, height=420)
    figure.update_layout(
        margin_t=100, legend_y=1.16, title={"text": pick_name(record.config.pick), "y": 0.98}
    )
    return figure
