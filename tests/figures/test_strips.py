"""The images in a strip are those that its caption speaks of, in the order that it promises."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pru_demo.experiment.record import RunRecord
from pru_demo.figures.run_tables import curves_table, relearning_table
from pru_demo.figures.strips import comeback, equation_samples, taken_for
from tests.figures.records import record_with

# Six shown samples, the third of them no 9; a test part in which each lies a hundred further on.
LABELS = np.array([9, 9, 0, 9, 9, 9], np.uint8)
SHOWN = 100 + np.arange(6, dtype=np.int32)


def record(method: str = "pru", **arrays: Any) -> RunRecord:
    """Original, unlearned, and two epochs of relearning."""
    made = record_with([0, 50, 60], method)
    return replace(made, arrays={"labels": LABELS, "shown": SHOWN, **arrays})


def sure(*answers: tuple[int, float]) -> np.ndarray[Any, Any]:
    """Probabilities (n, 10) of samples that are taken for a class with so much belief."""
    p = np.zeros((len(answers), 10), np.float16)
    for row, (target, belief) in zip(p, answers, strict=True):
        row[:] = (1 - belief) / 9
        row[target] = belief
    return p


def test_the_classes_taken_for_most_come_first_and_in_each_the_surest() -> None:
    p = sure((4, 0.5), (7, 0.9), (0, 0.9), (4, 0.8), (4, 0.7), (7, 0.6))
    answers = p.argmax(1).astype(np.uint8)
    predicted = np.stack([LABELS, answers, LABELS, LABELS])
    seen = record(predicted=predicted, p_unlearned=p)
    assert taken_for(seen, classes=2, each=2) == {4: [103, 104], 7: [101, 105]}
    assert list(taken_for(seen, classes=2, each=2)) == [4, 7]


PATH = np.array(
    [
        [9, 9, 0, 9, 9, 9],
        [9, 4, 0, 4, 4, 4],  # unlearned: only the first is still recognised
        [4, 4, 9, 9, 4, 4],
        [4, 9, 9, 4, 9, 4],
    ],
    np.uint8,
)


def test_what_comes_back_is_shown_by_when_it_did() -> None:
    back = comeback(record(predicted=PATH), epoch=2)
    assert (back.kept, back.back) == (pytest.approx(20), pytest.approx(60))
    assert back.images == [(103, 1), (101, 2), (104, 2)]


def test_what_comes_back_later_has_not_come_back_yet() -> None:
    back = comeback(record(predicted=PATH), epoch=1)
    assert (back.back, back.images) == (pytest.approx(20), [(103, 1)])
    assert comeback(record(predicted=PATH), epoch=0).images == []


def test_a_network_that_forgot_nothing_has_nothing_to_show() -> None:
    assert comeback(record("original", predicted=PATH), epoch=2).images == []


def test_the_samples_of_the_equation_stand_by_certainty_and_the_clearest_are_left_out() -> None:
    p = sure((9, 0.9), (9, 0.4), (0, 0.9), (9, 0.7), (9, 0.55), (9, 1.0))
    samples = equation_samples(record(p_original=p))
    assert samples is not None
    # Of the last one nothing is left to share out.
    assert samples.shown.tolist() == [101, 104, 103, 100]
    assert set(samples.labels) == {9}
    assert samples.undecided == 1
    np.testing.assert_array_equal(samples.before, p[[1, 4, 3, 0]])
    np.testing.assert_allclose(samples.after[:, 9], 0)
    np.testing.assert_allclose(samples.after.sum(1), 1)


def test_without_a_sample_that_leaves_something_there_is_none_for_the_equation() -> None:
    assert equation_samples(record(p_original=sure(*[(9, 1.0)] * 6))) is None


def test_tables_of_curves_name_their_runs_and_start_at_epoch_zero() -> None:
    runs = [record_with([0, 99], "pru"), record_with([1, 2], "retrain")]
    table = relearning_table(runs)
    assert list(table.columns)[:2] == ["PRU (paper) · A_f", "PRU (paper) · A_r"]
    assert table["Retrain · A_f"].to_dict() == {0: 1, 1: 2}
    curves = curves_table(runs)
    assert list(curves["run"]) == ["PRU (paper)"] * 3 + ["Retrain"] * 3
    assert list(curves["A_f"]) == [99, 0, 99, 99, 1, 2]
