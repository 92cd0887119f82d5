"""Axes that can be read, labels that stand out, nothing cut off."""

import numpy as np
import pytest

from pru_demo.experiment.record import Snapshot
from pru_demo.figures.answers import OTHERS_COLOR, before_after_figure, flow_figure, opinions_figure
from pru_demo.figures.curves import (
    Timeline,
    loss_figures,
    loss_terms,
    relearning_figure,
    unlearning_figure,
)
from pru_demo.figures.dot_maps import classic_figure
from pru_demo.figures.palette import CLASS_COLORS, contrast
from pru_demo.figures.style import INK, calm
from pru_demo.ui.shared.charts import DARK_INK
from tests.figures.records import record_with

NAMES = tuple("0123456789")
PERCENT = ("0 %", "25 %", "50 %", "75 %", "100 %")
LOSSES = [
    Snapshot("unlearn", i, phase, 0.0, 0.0, {"L_p": 1.0, "L_o": 2.0})
    for i in range(1, 11)
    for phase in ("E", "C")
]


def test_every_axis_of_percent_says_so() -> None:
    record, p = record_with([0, 99]), np.full(10, 0.1)
    for axis in (
        relearning_figure([record], "A_f").layout.yaxis,
        unlearning_figure({}, "A_r", 5).layout.yaxis,
        before_after_figure(p, p, NAMES).layout.yaxis,
        opinions_figure({"Original": p}, NAMES, [9]).layout.xaxis,
    ):
        assert axis.ticktext == PERCENT


def test_what_a_figure_asks_for_goes_before_the_common_layout_of_no_other_figure() -> None:
    own = calm(height=300, y={"zeroline": True}, margin={"t": 1}, legend={"y": 2}, dragmode="pan")
    common = calm(height=300).layout
    layout = own.layout
    assert (layout.yaxis.zeroline, layout.margin.t, layout.legend.y) == (True, 1, 2)
    assert (layout.xaxis, layout.margin.l) == (common.xaxis, common.margin.l)
    assert (layout.dragmode, common.dragmode) == ("pan", False)
    assert (common.yaxis.zeroline, common.margin.t, common.legend.y) == (False, 36, 1.02)


def test_controls_at_the_ends_of_the_axis_are_whole() -> None:
    figure = relearning_figure([record_with([0, 99], control=100.0)], "A_f")
    (control,) = (t for t in figure.data if t.marker.symbol == "circle-open" and t.x[0] is not None)
    assert control.cliponaxis is False


def test_controls_are_explained_only_if_there_are_any() -> None:
    with_one, without = record_with([0, 99]), record_with([0, 99], "pru", control=None)
    for records, count in (([with_one, without], 1), ([without], 0)):
        names = [trace.name for trace in relearning_figure(records, "A_f").data]
        assert names.count("BatchNorm-only control") == count


def test_controls_that_hide_lie_below_thin_and_out_of_the_legend() -> None:
    masked = record_with([0, 0, 0], "mask")
    figure = relearning_figure([record_with([0, 99, 99])], "A_f", controls=[masked], epoch=1)
    *lines, method = (trace for trace in figure.data if trace.line.dash)
    assert [line.showlegend for line in lines] == [False, False, False]
    assert [list(line.y) for line in lines[:2]] == [[0, 0], [0, 0]]
    quiet = lines[1]
    assert quiet.name == "Mask (control)" and "Mask (control)" in quiet.hovertemplate
    assert quiet.line.width < method.line.width
    assert quiet.marker.symbol == "square-open"
    # A control needs no control.
    assert sum(t.marker.symbol == "circle-open" and t.x[0] is not None for t in figure.data) == 1


@pytest.mark.parametrize("epochs", [1, 5, 10, 30])
def test_epochs_are_whole_and_few_enough_to_read(epochs: int) -> None:
    steps = [s for s in LOSSES * 3 if s.epoch <= epochs]
    for axis, last in (
        (unlearning_figure({}, "A_f", epochs).layout.xaxis, epochs),
        (loss_figures(steps)["L_o"].layout.xaxis, min(epochs, 10)),
    ):
        assert axis.dtick == int(axis.dtick) >= 1
        assert last / axis.dtick <= 12


def test_every_loss_has_a_figure_that_says_which_step_is_which() -> None:
    figures = loss_figures(LOSSES)
    assert list(figures) == ["L_p", "L_o"]
    for figure in figures.values():
        assert [(t.name, t.showlegend) for t in figure.data] == [("E step", True), ("C step", True)]
    assert loss_figures([]) == {}


def test_the_losses_that_are_drawn_are_explained() -> None:
    said = loss_terms(LOSSES)
    assert all(f"**{term}**" in said for term in ("L_p", "L_o", "E step", "C step"))
    assert "L_s" not in said
    assert loss_terms([]) == ""


@pytest.mark.parametrize(("ink", "paper"), [(INK, "#ffffff"), (DARK_INK, "#11161d")])
def test_names_of_flows_can_be_read_on_their_flows(ink: str, paper: str) -> None:
    shares = np.full(10, 0.1)
    (sankey,) = flow_figure(shares, NAMES, "9", [9], ink).data
    assert sankey.textfont.color == ink

    def over(color: str) -> str:
        parts = [(int(color[i : i + 2], 16), int(paper[i : i + 2], 16)) for i in (1, 3, 5)]
        return "#" + "".join(f"{round(0.45 * top + 0.55 * below):02x}" for top, below in parts)

    faint = [contrast(ink, over(color)) for color in (*CLASS_COLORS, OTHERS_COLOR)]
    assert min(faint) >= 4.5


def test_bars_outline_the_forgotten_class_in_the_ink_of_the_theme() -> None:
    figure = opinions_figure({"PRU (tuned)": np.full(10, 0.1)}, NAMES, [9], DARK_INK)
    outlined = [bar.name for bar in figure.data if bar.marker.line.color == DARK_INK]
    assert outlined == ["9"]
    assert figure.data[4].textfont.color == "#ffffff"
    assert figure.data[9].textfont.color == "#000000"


def test_a_single_map_outlines_the_forgotten_class_and_lays_it_on_top() -> None:
    places = np.random.default_rng(0).normal(size=(4, 2))
    figure = classic_figure(record_with([0, 99]), places, DARK_INK)
    outlined = {t.name: (t.marker.line.color == DARK_INK, t.zorder) for t in figure.data}
    assert outlined == {"0": (False, 0), "1": (False, 0), "9": (True, 1)}


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
    axis = Timeline(5, 10).figure(300, {}).layout.xaxis
    named = dict(zip(axis.tickvals, axis.ticktext, strict=True))
    assert named[0] == "0"
    assert named[7] == "+2"
    assert len(named) <= 13


def test_probabilities_before_and_after_redistribution_are_drawn_in_percent() -> None:
    figure = before_after_figure(np.array([0.25, 0.75]), np.array([1.0, 0.0]), ["0", "1"])
    assert [list(bar.y) for bar in figure.data] == [[25, 75], [100, 0]]
