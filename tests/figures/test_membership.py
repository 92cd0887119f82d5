"""The attack is judged beside Retrain and against chance, not against 0 and 1."""

import numpy as np
import pytest

from pru_demo.config import Scenario
from pru_demo.evaluation.loss_attack import rank_auc
from pru_demo.figures.membership import (
    chance_width,
    membership_figure,
    membership_finding,
    membership_table,
    obstacle_finding,
)
from tests.figures.measured import measured


def test_the_band_is_what_chance_alone_does() -> None:
    random = np.random.default_rng(0)
    draws = [rank_auc(random.normal(size=200), random.normal(size=200)) for _ in range(2000)]
    inside = np.mean(np.abs(np.array(draws) - 0.5) < chance_width(200))
    assert inside == pytest.approx(0.95, abs=0.02)


def test_every_run_has_both_numbers_on_its_line_and_a_is_at_the_top() -> None:
    runs = [
        measured("pru", "A", accuracy=0.53, auc=0.54),
        measured("retrain", "", accuracy=0.49, auc=0.51),
    ]
    figure = membership_figure(runs)
    assert figure.layout.yaxis.autorange == "reversed"
    accuracy, auc = (t for t in figure.data if not t.showlegend and t.x[0] is not None)
    assert accuracy.y == auc.y == ("PRU (paper)", "Retrain")
    assert (accuracy.x, auc.x) == ((0.53, 0.49), (0.54, 0.51))
    assert accuracy.marker.symbol != auc.marker.symbol
    lines = [s for s in figure.layout.shapes if s.type == "line"]
    assert [line.x0 for line in lines] == [0.51]


def test_without_retrain_there_is_no_line_to_compare_with() -> None:
    figure = membership_figure([measured()])
    assert [shape.type for shape in figure.layout.shapes] == ["rect"]


@pytest.mark.parametrize("auc", [0.02, 0.45, 0.97])
def test_all_points_and_the_band_are_inside_the_axis(auc: float) -> None:
    low, high = membership_figure([measured(auc=auc)]).layout.xaxis.range
    assert low < auc < high
    assert low < 0.5 - chance_width(600) and 0.5 + chance_width(600) < high
    assert low + high == pytest.approx(1), "0.5 is in the middle"


@pytest.mark.parametrize(
    ("auc", "verdict"),
    [
        (0.55, "0.04 from Retrain's, no more than chance"),
        (0.60, "0.09 from Retrain's, **more than chance explains**"),
        # Losses that are too large betray the images as well as losses that are too small.
        (0.42, "0.09 from Retrain's, **more than chance explains**"),
    ],
)
def test_the_verdict_is_on_the_difference_from_retrain(auc: float, verdict: str) -> None:
    retrained = measured("retrain", "", accuracy=0.49, auc=0.51)
    said = membership_finding(measured(accuracy=0.53, auc=auc), retrained)
    assert "53 % of the guesses about the 9s are right (Retrain: 49 %)" in said
    assert verdict in said


def test_without_retrain_there_is_no_verdict() -> None:
    said = membership_finding(measured(accuracy=0.53), None)
    assert said == "**PRU (paper)**: 53 % of the guesses about the 9s are right."
    assert membership_finding(measured("retrain"), None) == ""


def test_who_could_not_be_attacked_keeps_its_line_and_says_why() -> None:
    runs = [measured(no_attack="it broke"), measured("delete", "B", auc=0.6)]
    figure = membership_figure(runs)
    assert figure.layout.yaxis.categoryarray == ("PRU (paper)", "DELETE (paper)")
    (line,) = (t for t in figure.data if t.mode == "text")
    assert (line.x, line.y, line.text) == ((0.5,), ("PRU (paper)",), ("not computed",))
    assert line.customdata == ("it broke",)
    _, auc = (t for t in figure.data if t.mode == "markers" and t.x[0] is not None)
    assert (auc.x, auc.y) == ((0.6,), ("DELETE (paper)",))


def test_who_could_not_be_attacked_is_named_with_the_reason() -> None:
    runs = [measured(no_attack="it broke"), measured("retrain", no_attack="it is small")]
    assert obstacle_finding([*runs, measured("original", no_attack="it is small")]) == (
        "Not computed for **PRU (paper)**: it broke. "
        "Not computed for **Retrain** and **Original**: it is small."
    )
    assert obstacle_finding([measured()]) == ""
    assert membership_finding(runs[0], measured("retrain")) == ""


def test_without_an_attack_on_retrain_there_is_no_verdict() -> None:
    said = membership_finding(measured(accuracy=0.53), measured("retrain", no_attack="it broke"))
    assert said == "**PRU (paper)**: 53 % of the guesses about the 9s are right."


def test_the_attacks_table_says_what_was_attacked() -> None:
    row = membership_table([measured(accuracy=0.53, auc=0.54)]).iloc[0]
    assert (row["accuracy"], row["AUC"], row["images per side"]) == (0.53, 0.54, 600)
    assert "attack not computed" not in row


def test_the_attacks_table_says_which_images_were_given_to_forget() -> None:
    new = measured(scenario=Scenario(given="D_f_new"))
    assert membership_table([measured()])["A_f on D_f, %"].tolist() == [1.5]
    assert membership_table([new])["A_f on D_f_new, %"].tolist() == [1.5]


def test_the_attacks_table_says_why_there_was_no_attack() -> None:
    table = membership_table([measured(no_attack="it broke"), measured("delete", accuracy=0.53)])
    assert table["attack not computed"][0] == "it broke"
    assert table[["accuracy", "AUC", "images per side"]].loc[0].isna().all()
    assert table["accuracy"][1] == 0.53
