"""Attacks without epochs: before, after, and who comes back."""

from dataclasses import replace

import numpy as np
import pytest

from pru_demo.experiment.record import RunRecord
from pru_demo.figures.at_once import (
    AttackedAtOnce,
    again_finding,
    at_once_figure,
    at_once_finding,
    at_once_table,
    recognised_again,
)
from tests.figures.records import record_with


def shown(method: str = "pru") -> RunRecord:
    """Two 9s, of which the first is recognised right after unlearning, a 0 and a 1."""
    record = record_with([50.0, 60.0], method)
    predicted = np.array([[9, 9, 0, 1], [9, 4, 0, 1], [9, 4, 0, 1]], np.uint8)
    arrays = {**record.arrays, "predicted": predicted, "shown": np.arange(4) + 100}
    return replace(record, arrays=arrays)


def attacked(method: str = "pru") -> AttackedAtOnce:
    """Two draws: the first brings the second 9 back and costs the 1."""
    answers = np.array([[9, 9, 0, 9], [4, 4, 0, 1]])
    return AttackedAtOnce(shown(method), [100.0, 0.0], [50.0, 100.0], answers)


def test_the_control_of_a_record_is_an_attack_without_draws() -> None:
    record = shown()
    arrays = {**record.arrays, "control_predicted": np.array([9, 9, 0, 1], np.uint8)}
    control = AttackedAtOnce.by_batch_norm(replace(record, arrays=arrays))
    assert control is not None
    assert (control.mean("A_f"), control.mean("A_r")) == (50, 97)
    assert (control.deviation("A_f"), len(control.predicted)) == (0, 1)
    assert again_finding(control, 1) == "**PRU (paper)**: 50 % come back."
    assert AttackedAtOnce.by_batch_norm(replace(record, batch_norm_only=None)) is None


def test_before_and_after_are_on_one_line_and_spread_is_drawn() -> None:
    figure = at_once_figure([attacked(), attacked("retrain")], "A_r")
    before, after = (t for t in figure.data if t.mode == "markers" and t.x[0] is not None)
    assert list(before.y) == list(after.y) == ["PRU (paper)", "Retrain"]
    assert (list(before.x), list(after.x)) == ([98, 98], [75, 75])
    assert after.error_x.array[0] == pytest.approx(50 / 2**0.5)
    assert before.error_x.array is None
    assert figure.layout.yaxis.autorange == "reversed"


def test_the_gain_and_its_price_are_said() -> None:
    assert at_once_finding(attacked()) == (
        "**PRU (paper)**: 50 % of the 9s are recognised (before: 50 %), and 75 % of everything "
        "else (before: 98 %)."
    )


def test_images_come_back_that_were_not_recognised_before_and_are_in_some_draw() -> None:
    assert recognised_again(attacked()) == [(101, 0.5)]
    none = replace(attacked(), predicted=np.array([[4, 4, 0, 1]]))
    assert recognised_again(none) == []
    assert again_finding(attacked(), 1) == (
        "**PRU (paper)**: 50 % come back from at least one of the draws."
    )
    assert "forgotten nothing" in again_finding(attacked("original"), 0)


def test_the_table_has_before_after_and_deviation() -> None:
    row = at_once_table([attacked()]).iloc[0]
    assert (row["run"], row["A_f before"], row["A_f after"]) == ("PRU (paper)", 50, 50)
    assert (row["A_r before"], row["A_r after"], row["A_r deviation"]) == (98, 75, 35.36)
