"""Maps as Plotly draws them: a single moment, and a film as one page that needs nothing else.

Dots are coloured by true class; what was forgotten is outlined and lies on top.
"""

from collections.abc import Collection, Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pru_demo.data import DATASETS
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.film import Floats, Frame, Panel, bounds
from pru_demo.figures.palette import OUTLINE, class_color
from pru_demo.figures.style import AXIS, FONT, INK, calm

# More classes than this would push the maps out of their own figure.
MOST_NAMED = 20
FRAME_MS = 400
HEIGHT = 720
PAPER = "#ffffff"
# Below the maps, in parts of their height: the slider with its buttons, then the legend.
SLIDER_Y, LEGEND_Y = -0.02, -0.2
MARGIN = 0.04  # of the longer side of the map, on every side

PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Film of the map</title></head>
<body style="margin: 1rem; min-width: 48rem">FIGURE</body>
</html>
"""


def classic_figure(record: RunRecord, xy: NDArray[np.floating], ink: str = INK) -> go.Figure:
    """UMAP ``xy`` (n, 2) of one snapshot, for readers who want the view they know.

    ``ink`` is the theme's colour of text.
    """
    labels, forgotten = record.arrays["labels"], record.forgotten
    names = DATASETS[record.config.scenario.dataset].class_names
    bare = {"showticklabels": False, "showgrid": False}
    figure = calm(
        height=380,
        x=bare,
        y=bare,
        margin={"t": 32},
        legend={"y": -0.02, "yanchor": "top", "itemsizing": "constant", "font": {"size": 13}},
        showlegend=len(names) <= MOST_NAMED,
    )
    for c in np.unique(labels):
        members = labels == c
        outlined = bool(forgotten[members].any())
        figure.add_scatter(
            x=xy[members, 0],
            y=xy[members, 1],
            mode="markers",
            name=str(names[c]),
            zorder=int(outlined),
            marker=_marker(int(c), 5, ink if outlined else None),
            hovertemplate=f"true class {names[c]}<extra></extra>",
        )
    return figure


def film_figure(
    panels: Sequence[Panel],
    frames: Sequence[Frame],
    true: NDArray[np.integer],
    class_names: Sequence[str],
    forgotten: Collection[int],
) -> go.Figure:
    """All T moments of one or more ``panels``, with a slider and buttons to play and pause.

    Dots are coloured by their class in ``true`` (n,); ``forgotten`` classes are outlined and lie on
    top. The guest is left out. Points are SVG: WebGL does not redraw them between frames.
    """
    has_notes = any(panel.note for panel in panels)
    titles = [_title(panel, has_notes) for panel in panels]
    shown = sorted(np.unique(true), key=lambda c: c in forgotten)
    figure = calm(
        height=HEIGHT,
        margin={"t": 56},
        legend={"y": LEGEND_Y, "yanchor": "top", "itemsizing": "constant"},
        showlegend=len(shown) <= MOST_NAMED,
        # A picture of it may be put on any page, so it has the paper that suits its ink.
        paper_bgcolor=PAPER,
        font={**FONT, "color": INK},
        **_controls(frames),
    )
    figure.set_subplots(1, len(panels), subplot_titles=titles, horizontal_spacing=0.02)
    _fix_axes(figure, panels)
    for column, panel in enumerate(panels, start=1):
        for c in shown:
            name = escape(str(class_names[c]))
            figure.add_scatter(
                **_places(panel, 0, true == c),
                mode="markers",
                name=f"{name} (forgotten)" if c in forgotten else name,
                legendgroup=name,
                showlegend=column == 1,
                marker=_marker(int(c), 6, INK if c in forgotten else None),
                hovertemplate=f"true class {name}<extra></extra>",
                row=1,
                col=column,
            )
    figure.frames = [
        go.Frame(
            name=str(t),
            data=[go.Scatter(_places(panel, t, true == c)) for panel in panels for c in shown],
            traces=list(range(len(figure.data))),
        )
        for t in range(len(frames))
    ]
    return figure


def film_html(figure: go.Figure) -> str:
    """``figure`` as a page of about 6 MB that asks no other host for anything."""
    shown: str = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        # Motion starts on request.
        auto_play=False,
        config={
            "displaylogo": False,
            "displayModeBar": True,
            "responsive": True,
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {"format": "png", "filename": "map", "scale": 2},
        },
    )
    return PAGE.replace("FIGURE", shown)


def _title(panel: Panel, has_second_line: bool) -> str:
    """Plotly reads some HTML in titles, and names are to be taken as they are."""
    note = escape(panel.note) or "\u00a0"
    return f"<b>{escape(panel.title)}</b>" + (f"<br>{note}" if has_second_line else "")


def _marker(c: int, size: int, outline: str | None) -> dict[str, Any]:
    """A dot of class ``c``; ``outline`` is the ink around what was forgotten."""
    return {
        "size": size + 2 if outline else size,
        "color": class_color(c),
        "line": {"color": outline or OUTLINE, "width": 1.5 if outline else 0.5},
    }


def _places(panel: Panel, t: int, members: NDArray[np.bool_]) -> dict[str, Floats]:
    # float64 would double the file and halve the speed.
    x, y = panel.xy[t, members].astype(np.float32).T
    return {"x": x, "y": y}


def _fix_axes(figure: go.Figure, panels: Sequence[Panel]) -> None:
    """The same range in every panel and frame, both axes to one scale."""
    low, high = bounds(panels)
    margin = MARGIN * float(max(high - low)) or 1.0
    (left, bottom), (right, top) = low - margin, high + margin
    hidden = {"showticklabels": False, "showgrid": False, "ticks": ""}
    framed = AXIS | hidden | {"showline": True, "linecolor": OUTLINE, "mirror": True}
    figure.update_xaxes(framed | {"range": [left, right]})
    figure.update_yaxes(framed | {"range": [bottom, top]})
    for axis in figure.select_yaxes():
        axis.scaleanchor = axis.anchor


def _controls(frames: Sequence[Frame]) -> dict[str, Any]:
    """The buttons, in the line of the slider's text, which is on the left; and the slider."""
    at_once = {"mode": "immediate", "transition": {"duration": 0}}
    playing = at_once | {"frame": {"duration": FRAME_MS, "redraw": False}, "fromcurrent": True}
    still = at_once | {"frame": {"duration": 0, "redraw": False}}
    menu = {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "x": 1,
        "xanchor": "right",
        "y": SLIDER_Y,
        "yanchor": "top",
        "buttons": [
            {"label": label, "method": "animate", "args": [target, arguments]}
            for label, target, arguments in (("Play", None, playing), ("Pause", [None], still))
        ],
    }
    slider = {
        "y": SLIDER_Y,
        "yanchor": "top",
        "pad": {"t": 8},
        # Only the moment that is shown is named; all names have no room.
        "font": {"color": "rgba(0,0,0,0)"},
        "currentvalue": {"prefix": "", "offset": 16, "font": {"size": 15, "color": INK}},
        "steps": [
            {"label": frame.label, "method": "animate", "args": [[str(t)], still]}
            for t, frame in enumerate(frames)
        ],
    }
    return {"updatemenus": [menu], "sliders": [slider]}
