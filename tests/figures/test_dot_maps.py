"""The exported film shows every moment of every panel, and needs nothing but itself."""

import re
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from pru_demo.figures.dot_maps import FRAME_MS, film_figure, film_html
from pru_demo.figures.film import Frame, Panel
from pru_demo.figures.palette import CLASS_COLORS, label_color
from pru_demo.figures.style import INK

FRAMES, SAMPLES = 4, 30
TRUE = np.arange(SAMPLES) % 3
NAMES = ("zero", "one", "<two>")
MOMENTS = [
    Frame("Original", "original", "Before."),
    Frame("Epoch 1", "unlearn", "Away."),
    Frame("Epoch 2", "unlearn", "Away."),
    Frame("Relearning epoch 1", "relearn", "Back."),
]


def panel(title: str = "PRU", seed: int = 0, note: str = "") -> Panel:
    random = np.random.default_rng(seed)
    return Panel(
        title,
        "#0072b2",
        xy=random.normal(size=(FRAMES, SAMPLES, 2)) * (2, 1),
        top=np.zeros((FRAMES, SAMPLES, 3), np.uint8),
        p_top=np.zeros((FRAMES, SAMPLES, 3)),
        p_f=np.zeros((FRAMES, SAMPLES)),
        moved=np.zeros((FRAMES, SAMPLES)),
        note=note,
    )


PANELS = [panel(), panel("Retrain & co", seed=1, note="On a map of its own.")]


def figure(panels: list[Panel] = PANELS) -> go.Figure:
    return film_figure(panels, MOMENTS, TRUE, NAMES, {1})


def test_every_sample_is_where_it_was_in_every_moment() -> None:
    film = figure()
    assert [frame.name for frame in film.frames] == ["0", "1", "2", "3"]
    order = (0, 2, 1)  # the forgotten class lies on top
    for t, frame in enumerate(film.frames):
        assert list(frame.traces) == list(range(6))
        for k, trace in enumerate(frame.data):
            members = order[k % 3] == TRUE
            there = np.stack([trace.x, trace.y], axis=1)
            assert np.abs(there - PANELS[k // 3].xy[t, members]).max() < 1e-6
            assert trace.x.dtype == np.float32
    for k, trace in enumerate(film.data):
        assert np.array_equal(trace.x, film.frames[0].data[k].x)
        assert trace.type == "scatter"


def test_dots_have_the_colour_of_their_class_and_the_forgotten_an_outline() -> None:
    film = figure()
    assert [trace.name for trace in film.data[:3]] == ["zero", "&lt;two&gt;", "one (forgotten)"]
    assert [trace.marker.color for trace in film.data[:3]] == [CLASS_COLORS[c] for c in (0, 2, 1)]
    assert [trace.marker.line.color == INK for trace in film.data] == [False, False, True] * 2
    # Each class is named once, and its dots are shown and hidden together.
    assert [trace.showlegend for trace in film.data] == [True] * 3 + [False] * 3
    groups = [trace.legendgroup for trace in film.data]
    assert groups[:3] == groups[3:]
    assert len(set(groups)) == 3


def test_titles_and_notes_are_taken_as_they_are() -> None:
    titles = [note.text for note in figure().layout.annotations]
    assert titles == [
        "<b>PRU</b><br>\u00a0",
        "<b>Retrain &amp; co</b><br>On a map of its own.",
    ]
    assert [note.text for note in figure([panel()]).layout.annotations] == ["<b>PRU</b>"]


def test_both_panels_have_the_same_fixed_axes_to_one_scale() -> None:
    layout = figure().layout
    xy = np.concatenate([each.xy.reshape(-1, 2) for each in PANELS])
    for x, y in ((layout.xaxis, layout.yaxis), (layout.xaxis2, layout.yaxis2)):
        for axis, values in ((x, xy[:, 0]), (y, xy[:, 1])):
            assert axis.range[0] < values.min() < values.max() < axis.range[1]
            assert axis.fixedrange
        assert y.scaleanchor == y.anchor
    assert layout.xaxis.range == layout.xaxis2.range
    assert layout.yaxis2.scaleanchor == "x2"


def test_a_map_without_extent_has_axes() -> None:
    flat = replace(panel(), xy=np.ones((FRAMES, SAMPLES, 2)))
    low, high = figure([flat]).layout.xaxis.range
    assert low < 1 < high


def test_slider_and_buttons_reach_every_moment_without_drawing_it_all_anew() -> None:
    layout = figure().layout
    (slider,), (menu,) = layout.sliders, layout.updatemenus
    assert [step.label for step in slider.steps] == [frame.label for frame in MOMENTS]
    assert [step.args[0] for step in slider.steps] == [("0",), ("1",), ("2",), ("3",)]
    assert [button.label for button in menu.buttons] == ["Play", "Pause"]
    target, play = menu.buttons[0].args
    assert target is None
    assert play["frame"] == {"duration": FRAME_MS, "redraw": False}
    assert play["transition"] == {"duration": 0}
    assert play["fromcurrent"]
    assert menu.buttons[1].args[0] == (None,)


def test_paper_suits_the_ink() -> None:
    film = figure()
    assert film.layout.paper_bgcolor == label_color(INK)
    assert film.layout.font.color == film.layout.sliders[0].currentvalue.font.color == INK


def test_the_page_needs_no_other_host_and_waits_to_be_played() -> None:
    page = film_html(figure())
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>" in page
    assert len(page) > 3_000_000  # plotly.js is in it
    tags = re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", page)
    assert tags
    assert not [tag for tag in tags if "src=" in tag or "href=" in tag]
    assert '"format": "png"' in page
    # What to_html writes to play at once.
    assert "Plotly.animate(" not in page.rpartition("Plotly.addFrames(")[2]
