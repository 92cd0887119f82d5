"""A band is the range of several seeds, lies behind its curve, and is not there for one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from pru_demo.config import Scenario
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.spread import Spread
from pru_demo.figures.curves import relearning_figure, unlearning_figure
from pru_demo.figures.run_tables import relearning_table
from pru_demo.figures.seeds import Seeds, relearning_spread, unlearning_spread, with_range
from tests.figures.records import record_with


def seed(number: int, a_f: Sequence[float], method: str = "boundary_shrink") -> RunRecord:
    return record_with(a_f, method, Scenario(seed=number))


SHOWN = seed(7, [0, 10, 20])
PICK = SHOWN.config.pick
THREE: Seeds = {PICK: [SHOWN, seed(8, [6, 40, 80]), seed(9, [3, 10, 50])]}


def bands(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data if trace.fill == "toself"]


def test_the_range_is_of_all_seeds_at_each_epoch() -> None:
    found = relearning_spread(THREE, PICK, "A_f")
    ranges = {epoch: (each.lowest, each.mean, each.highest) for epoch, each in found.items()}
    assert ranges == {0: (0, 3, 6), 1: (10, 20, 40), 2: (20, 50, 80)}
    unlearning = unlearning_spread(THREE, PICK, "A_f")
    assert unlearning == {0: Spread.of([99.0] * 3), 1: Spread.of([0, 6, 3])}


def test_it_ends_with_the_shortest_run() -> None:
    seeds = {PICK: [SHOWN, seed(8, [6, 40])]}
    assert list(relearning_spread(seeds, PICK, "A_f")) == [0, 1]
    seeds = {PICK: [seed(8, [6, 40]), SHOWN]}
    assert list(relearning_spread(seeds, PICK, "A_f")) == [0, 1]


def test_there_is_none_of_one_seed_nor_of_what_broke() -> None:
    broken = replace(seed(8, [99, 99, 99]), failure="it answers 3 whatever it sees")
    single: list[Seeds] = [{}, {PICK: []}, {PICK: [SHOWN]}, {PICK: [SHOWN, broken]}]
    for seeds in single:
        assert relearning_spread(seeds, PICK, "A_f") == {}
        assert unlearning_spread(seeds, PICK, "A_f") == {}
        figure = relearning_figure([SHOWN], "A_f", seeds=seeds)
        assert figure == relearning_figure([SHOWN], "A_f")
        assert list(relearning_table([SHOWN], seeds)) == list(relearning_table([SHOWN]))
    two = relearning_spread({PICK: [*THREE[PICK], broken]}, PICK, "A_f")
    assert two == relearning_spread(THREE, PICK, "A_f")


def test_bands_lie_behind_every_curve_and_mean_lines_are_thin_and_unnamed() -> None:
    retrained = seed(7, [0, 0, 0], "retrain")
    figure = relearning_figure([retrained, SHOWN], "A_f", seeds=THREE)
    band, mean, *rest = figure.data
    assert bands(figure) == [band]
    assert (list(band.x), list(band.y)) == ([0, 1, 2, 2, 1, 0], [6, 40, 80, 20, 10, 0])
    assert list(mean.y) == [3, 20, 50]
    assert mean.text[2] == "mean 50.0 %, 20.0 to 80.0 % over 3 seeds"
    assert (band.showlegend, mean.showlegend) == (False, False)
    curve = next(trace for trace in rest if trace.name == mean.name)
    assert mean.line.width < curve.line.width
    assert band.fillcolor == mean.line.color == curve.line.color


def test_what_comes_after_the_slider_has_no_band() -> None:
    (band,) = bands(relearning_figure([SHOWN], "A_f", seeds=THREE, epoch=1))
    assert set(band.x) == {0, 1}


def test_unlearning_has_a_band_too() -> None:
    figure = unlearning_figure({PICK: SHOWN.snapshots}, "A_f", 1, seeds=THREE)
    (band,) = bands(figure)
    assert (list(band.x), list(band.y)) == ([0, 1, 1, 0], [99, 6, 0, 99])
    assert figure.data[0] is band


def test_a_table_says_mean_range_and_number_of_seeds() -> None:
    assert with_range(Spread.of([10.0, 12.2, 15.1])) == "12.4 (10.0–15.1 of 3 seeds)"
    table = relearning_table([SHOWN], {PICK: [SHOWN, seed(8, [6, 40])]})
    name = "Boundary Shrink (paper) · A_f"
    assert list(table)[:2] == [name, f"{name}, all seeds"]
    assert list(table[name]) == [0, 10, 20]
    said = table[f"{name}, all seeds"]
    assert list(said[:2]) == ["3.0 (0.0–6.0 of 2 seeds)", "25.0 (10.0–40.0 of 2 seeds)"]
    assert said.isna()[2]


@pytest.mark.parametrize("accuracy", ["A_f", "A_r"])
def test_a_run_that_is_not_shown_has_no_band(accuracy: Any) -> None:
    other = seed(7, [0, 1, 2], "pru")
    assert bands(relearning_figure([other], accuracy, seeds=THREE)) == []
