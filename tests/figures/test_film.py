"""What a film says of each moment is what its runs do."""

from dataclasses import replace
from typing import Any

import pytest

from pru_demo.experiment.record import Stage
from pru_demo.figures.film import FilmMoment, hint
from tests.figures.records import record_with

PRU: dict[str, Any] = {
    "lambda_p": 1.0,
    "lambda_o": 1.0,
    "lambda_s": 1.0,
    "c_step_updates": "classifier",
}


@pytest.mark.parametrize(
    ("changes", "said", "not_said"),
    [
        ({}, ["L_p", "L_o", "L_s"], []),
        ({"lambda_s": 0.0}, ["L_p", "L_o"], ["L_s"]),
        ({"lambda_o": 0.0}, ["L_p", "L_s"], ["L_o"]),
        ({"lambda_p": 0.0}, ["L_o", "L_s"], ["L_p"]),
    ],
)
def test_the_e_step_names_the_losses_that_have_a_weight(
    changes: dict[str, float], said: list[str], not_said: list[str]
) -> None:
    record = replace(record_with([0, 0], "pru"), params=PRU | changes)
    sentence = hint(FilmMoment("unlearn", 1, "E"), [record])
    assert [loss for loss in said if loss not in sentence] == []
    assert [loss for loss in not_said if loss in sentence] == []


@pytest.mark.parametrize("trained", ["classifier", "extractor"])
def test_the_c_step_names_what_it_trains(trained: str) -> None:
    record = replace(record_with([0, 0], "pru"), params=PRU | {"c_step_updates": trained})
    assert f"the {trained} is trained" in hint(FilmMoment("unlearn", 1, "C"), [record])


def test_runs_beside_each_other_have_a_sentence_each() -> None:
    pru = replace(record_with([0, 0], "pru"), params=PRU)
    sentence = hint(FilmMoment("unlearn", 2, "E"), [pru, record_with([0, 0], "retrain")])
    assert "PRU (paper), E step: the extractor" in sentence
    assert "Retrain: never saw the class" in sentence


@pytest.mark.parametrize("stage", ["original", "relearn"])
def test_what_is_the_same_for_all_is_said_once(stage: Stage) -> None:
    both, moment = (
        [record_with([0, 0]), record_with([0, 0], "retrain")],
        FilmMoment(stage, 1, "all"),
    )
    assert hint(moment, both) == hint(moment, both[:1])
