"""What a film of moving samples is made of, for the player and for the exported file alike.

The film of moving samples as one interactive figure that needs nothing else to be looked at.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pru_demo.figures.palette import OUTLINE, class_color, label_color
from pru_demo.figures.style import INK, calm

Stage: TypeAlias = Literal["original", "unlearn", "relearn"]
Floats: TypeAlias = npt.NDArray[np.floating]
Bytes: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Panel:
    """One method's map: T frames of the same n samples.

    Attributes:
        title: name of the method.
        color: its colour, ``#rrggbb``.
        xy: (T, n, 2) places on the map, in map units shared by all panels.
        top: (T, n, 3) uint8, indices of the three most probable classes, the prediction first;
            fewer where there are fewer classes.
        p_top: probabilities of those, from 0 to 1.
        p_f: (T, n) from 0 to 1, probability given to the forgotten classes.
        moved: (T, n) >= 0, displacement in feature space since frame 0, in units of the mean
            distance between class centres.
        note: one short line under the title, or "".
        guest: (T, 2) places of the visitor's own image, NaN where they were not computed; None
            where there is none.
    """

    title: str
    color: str
    xy: Floats
    top: Bytes
    p_top: Floats
    p_f: Floats
    moved: Floats
    note: str = ""
    guest: Floats | None = None


@dataclass(frozen=True)
class Frame:
    """A moment: its name ("Epoch 3 · E step"), its stage, one sentence on what happens in it."""

    label: str
    stage: Stage
    hint: str


def bounds(panels: Sequence[Panel]) -> tuple[Floats, Floats]:
    """Lower left and upper right corner (2,) of the box that holds all samples and guests."""
    places = [panel.xy.reshape(-1, 2) for panel in panels]
    guests = [panel.guest for panel in panels if panel.guest is not None]
    places += [guest[np.isfinite(guest).all(axis=1)] for guest in guests]
    everywhere = np.concatenate(places)
    return everywhere.min(axis=0), everywhere.max(axis=0)


FRAME_MS = 400
HEIGHT = 720
# Below the maps, in parts of their height: the slider with its buttons, then the legend.
SLIDER_Y, LEGEND_Y = -0.02, -0.2
MARGIN = 0.04  # of the longer side of the map, on every side
# More classes than this would push the maps out of their own figure.
MOST_NAMED = 20

PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Film of the map</title></head>
<body style="margin: 1rem; min-width: 48rem">FIGURE</body>
</html>
"""


def film_figure(
    panels: Sequence[Panel],
    frames: Sequence[Frame],
    true: npt.NDArray[np.integer],
    class_names: Sequence[str],
    forgotten: Collection[int],
    ink: str = INK,
) -> go.Figure:
    """All T moments of one or more ``panels``, with a slider and buttons to play and pause.

    Dots are coloured by their class in ``true`` (n,); ``forgotten`` classes are outlined with
    ``ink``, the colour of text, and lie on top. The guest is left out. Points are SVG: WebGL does
    not redraw them between frames.
    """
    has_notes = any(panel.note for panel in panels)
    titles = [_title(panel, has_notes) for panel in panels]
    figure = make_subplots(cols=len(panels), subplot_titles=titles, horizontal_spacing=0.02)
    shown = sorted(np.unique(true), key=lambda c: c in forgotten)
    for column, panel in enumerate(panels, start=1):
        for c in shown:
            outline = ink if c in forgotten else None
            name = escape(str(class_names[c]))
            dots = _dots(panel, true == c, name, class_color(int(c)), outline)
            dots.showlegend = column == 1
            figure.add_trace(dots, row=1, col=column)
    figure.frames = [
        go.Frame(
            name=str(t),
            data=[go.Scatter(_places(panel, t, true == c)) for panel in panels for c in shown],
            traces=list(range(len(figure.data))),
        )
        for t in range(len(frames))
    ]
    calm(figure, height=HEIGHT)
    _fix_axes(figure, panels)
    _add_controls(figure, frames, ink)
    figure.update_layout(
        # A picture of it may be put on any page, so it has the paper that suits its ink.
        paper_bgcolor=label_color(ink),
        font_color=ink,
        margin={"l": 8, "r": 8, "t": 56, "b": 8},
        showlegend=len(shown) <= MOST_NAMED,
        legend={"y": LEGEND_Y, "yanchor": "top", "itemsizing": "constant"},
    )
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


def _dots(
    panel: Panel,
    members: npt.NDArray[np.bool_],
    name: str,
    color: str,
    outline: str | None,
) -> go.Scatter:
    """The samples of one class in frame 0; ``outline`` is the ink around forgotten ones."""
    return go.Scatter(
        **_places(panel, 0, members),
        mode="markers",
        name=f"{name} (forgotten)" if outline else name,
        legendgroup=name,
        marker={
            "size": 8 if outline else 6,
            "color": color,
            "line": {"color": outline or OUTLINE, "width": 1.5 if outline else 0.5},
        },
        hovertemplate=f"true class {name}<extra></extra>",
    )


def _places(panel: Panel, t: int, members: npt.NDArray[np.bool_]) -> dict[str, Floats]:
    # float64 would double the file and halve the speed.
    x, y = panel.xy[t, members].astype(np.float32).T
    return {"x": x, "y": y}


def _fix_axes(figure: go.Figure, panels: Sequence[Panel]) -> None:
    """The same range in every panel and frame, both axes to one scale."""
    low, high = bounds(panels)
    margin = MARGIN * float(max(high - low)) or 1.0
    (left, bottom), (right, top) = low - margin, high + margin
    hidden = {"showticklabels": False, "showgrid": False, "ticks": ""}
    frame = {"showline": True, "linecolor": OUTLINE, "mirror": True}
    figure.update_xaxes(range=[left, right], **hidden, **frame)
    figure.update_yaxes(range=[bottom, top], **hidden, **frame)
    for axis in figure.select_yaxes():
        axis.scaleanchor = axis.anchor


def _add_controls(figure: go.Figure, frames: Sequence[Frame], ink: str) -> None:
    at_once = {"mode": "immediate", "transition": {"duration": 0}}
    playing = at_once | {"frame": {"duration": FRAME_MS, "redraw": False}, "fromcurrent": True}
    still = at_once | {"frame": {"duration": 0, "redraw": False}}
    buttons = [("Play", None, playing), ("Pause", [None], still)]
    figure.update_layout(
        # In the line of the slider's text, which is on the left.
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "showactive": False,
                "x": 1,
                "xanchor": "right",
                "y": SLIDER_Y,
                "yanchor": "top",
                "buttons": [
                    {"label": label, "method": "animate", "args": [target, arguments]}
                    for label, target, arguments in buttons
                ],
            }
        ],
        sliders=[
            {
                "y": SLIDER_Y,
                "yanchor": "top",
                "pad": {"t": 8},
                # Only the moment that is shown is named; all names have no room.
                "font": {"color": "rgba(0,0,0,0)"},
                "currentvalue": {"prefix": "", "offset": 16, "font": {"size": 15, "color": ink}},
                "steps": [
                    {"label": frame.label, "method": "animate", "args": [[str(t)], still]}
                    for t, frame in enumerate(frames)
                ],
            }
        ],
    )
