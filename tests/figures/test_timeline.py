"""Runs of different length on one axis."""

import plotly.graph_objects as go

from pru_demo.figures.curves import Timeline
from tests.figures.records import record_with


def test_relearning_begins_where_the_longest_unlearning_ends() -> None:
    short = record_with([0, 50, 60])
    time = Timeline(unlearning=5, relearning=10)
    assert time.of(short) == [0, 1, 6, 7]
    assert time.end == 15
    assert 5 < time.control < 6


def test_it_covers_the_longest_of_the_runs() -> None:
    runs = [record_with([0, 50, 60]), record_with([0, 1])]
    assert Timeline.covering(runs) == Timeline(1, 2)


def test_every_tick_is_named_and_relearning_counts_anew() -> None:
    figure = go.Figure(go.Scatter(x=[0, 15], y=[0, 1]))
    Timeline(5, 10).draw(figure)
    axis = figure.layout.xaxis
    named = dict(zip(axis.tickvals, axis.ticktext, strict=True))
    assert named[0] == "0"
    assert named[7] == "+2"
    assert len(named) <= 13
