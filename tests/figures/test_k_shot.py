"""What is left of a class in the features is read between Retrain and Original."""

import math

import pytest

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.evaluation.knowledge import KShotAUC
from pru_demo.figures.k_shot import Known, knowledge_figure, knowledge_finding, knowledge_table


def known(method: str, mean: float | None, deviation: float = 1e-5, reason: str = "") -> Known:
    found = KShotAUC(mean, None if mean is None else deviation, reason)
    return Known(RunConfig(Scenario(), Pick(method, "paper")), {5: found})


ORIGINAL, RETRAIN = known("original", 0.9999), known("retrain", 0.99, 1e-3)


def said(run: Known) -> str:
    return knowledge_finding(run, 5, ORIGINAL, RETRAIN)


def test_a_record_is_read_with_the_reasons_in_it() -> None:
    of_50 = {"mean": None, "deviation": None, "reason": "there are only 3"}
    attacks = {
        "k_shot_auc": {"1": {"mean": 0.9, "deviation": 0.1}, "50": of_50},
        "shots_were_seen": True,
    }
    run = Known.of(RETRAIN.config, attacks)
    assert run.found == {1: KShotAUC(0.9, 0.1), 50: KShotAUC(None, None, "there are only 3")}
    assert run.shots_were_seen


def test_the_share_of_knowledge_is_said_between_the_references() -> None:
    assert said(known("pru", 0.999)) == (
        "**PRU (paper)**: AUC 0.9990, **50 % of the knowledge is left**."
    )
    assert "**it knows as much as Original**" in said(known("pru", 0.99995))
    assert "**9s are found less easily than in Retrain**" in said(known("pru", 0.9))
    assert said(RETRAIN) == said(ORIGINAL) == ""


def test_what_the_draws_do_not_tell_from_retrain_is_not_called_different() -> None:
    assert said(known("pru", 0.9903, 1e-3)).endswith("**not distinguishable from Retrain**.")
    assert "not distinguishable" not in said(known("pru", 0.992, 1e-3))


def test_without_the_references_there_is_only_the_number() -> None:
    run = known("pru", 0.999)
    for original, retrained in ((None, None), (ORIGINAL, None), (None, RETRAIN)):
        assert knowledge_finding(run, 5, original, retrained) == "**PRU (paper)**: AUC 0.9990."
    broken = known("retrain", None, reason="its features are no numbers")
    assert knowledge_finding(run, 5, ORIGINAL, broken) == "**PRU (paper)**: AUC 0.9990."


def test_who_was_not_attacked_is_named_with_the_reason() -> None:
    run = known("pru", None, reason="there are only 3")
    assert said(run) == "**PRU (paper)** was not attacked: there are only 3."
    names = [name for trace in knowledge_figure([run, RETRAIN], 5).data for name in trace.y or ()]
    assert names == ["Retrain", None]


def test_every_run_is_on_its_line_with_the_spread_and_the_references_as_lines() -> None:
    figure = knowledge_figure([known("pru", 0.999, 5e-4), RETRAIN, ORIGINAL], 5)
    points = figure.data[0]
    assert list(points.y) == ["PRU (paper)", "Retrain", "Original"]
    assert list(points.x) == pytest.approx([-3, -2, -4])
    assert points.error_x.array[0] == pytest.approx(math.log10(1.5))
    assert points.error_x.arrayminus[0] == pytest.approx(math.log10(2))
    assert [shape.x0 for shape in figure.layout.shapes] == pytest.approx([-2, -4])
    low, high = figure.layout.xaxis.range
    assert low < -4
    assert high > -2
    assert "0.001" in figure.layout.xaxis.ticktext


def test_an_attack_that_never_errs_is_on_the_axis() -> None:
    figure = knowledge_figure([known("pru", 1.0, 0.0), RETRAIN], 5)
    assert figure.data[0].x[0] == pytest.approx(-6)
    assert figure.layout.xaxis.range[0] < -6


def test_the_table_has_a_row_for_every_run_and_attacker() -> None:
    table = knowledge_table([known("pru", 0.999), RETRAIN, ORIGINAL])
    assert table["run"].tolist() == ["PRU (paper)", "Retrain", "Original"]
    assert table["knowledge left"].tolist() == pytest.approx([0.5, 0, 1])
    assert knowledge_table([RETRAIN])["knowledge left"].tolist() == [None]
