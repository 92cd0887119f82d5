"""A run that was turned by hand: what a link says of it, what it is, and what it is called."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from pru_demo.config import Pick, RunConfig, Scenario, planned_epochs, runs_of, setting_of
from pru_demo.experiment.keys import run_key, shipped
from pru_demo.experiment.tasks import map_job_key
from pru_demo.figures.naming import pick_name, short_name, stroke_of, variant_name
from pru_demo.figures.palette import METHOD_STROKES, TURNED_SYMBOLS
from pru_demo.knobs import Span, Value
from pru_demo.links import View, is_query_key, knobs_on, turned, view_from_query
from pru_demo.parameters import PRUParams

PAPER = Pick("pru", "paper")
SCENARIO = Scenario()
HAND = replace(PAPER, changes=(("lambda_s", 0.0),))


def other(value: Any, run: RunConfig, name: str) -> Value:
    """Another value that the parameter ``name`` may have."""
    knob = knobs_on(run.scenario, run.pick)[name]
    options = (knob.low, knob.high) if isinstance(knob, Span) else knob.options
    return next(option for option in options if option != value)


def turned_runs() -> Iterator[RunConfig]:
    """Every variant with each of its parameters turned, alone and all at once."""
    for run in runs_of(SCENARIO):
        params = setting_of(run).params
        changes = {
            name: other(getattr(params, name), run, name) for name in knobs_on(SCENARIO, run.pick)
        }
        each = [((name, value),) for name, value in changes.items()]
        together = [tuple(sorted(changes.items()))] if changes else []
        for some in [*each, *together]:
            yield replace(run, pick=replace(run.pick, changes=some))


TURNED = list(turned_runs())


def test_every_method_but_the_original_is_turned_here() -> None:
    assert {run.pick.method for run in TURNED} == {run.pick.method for run in runs_of(SCENARIO)} - {
        "original"
    }


def test_a_turned_run_survives_link_text_and_json() -> None:
    for run in TURNED:
        view = View(SCENARIO, run.pick, PAPER)
        assert view_from_query(view.query()) == (view, [])
        assert all(map(is_query_key, view.query()))
        assert Pick.parse(str(run.pick)) == run.pick
        assert RunConfig.from_content(json.loads(json.dumps(run.content()))) == run


def test_what_was_turned_is_what_it_runs_with_and_the_rest_is_the_variants() -> None:
    for run in TURNED:
        own = setting_of(replace(run, pick=run.pick.plain))
        now = setting_of(run)
        assert now.params == replace(own.params, **dict(run.pick.changes))
        assert now.params != own.params
        assert now.origin.startswith("turned by hand: ")
        assert now.origin.endswith(own.origin)


def test_turning_one_parameter_makes_another_run() -> None:
    for run in TURNED:
        plain = replace(run, pick=run.pick.plain)
        # Without a pool nothing else of rehearsal has an effect.
        no_pool = not getattr(setting_of(run).params, "rehearsal_pool", 0)
        idle = no_pool and all(name.startswith("rehearsal_") for name, _ in run.pick.changes)
        assert (run_key(run) == run_key(plain)) == idle, run.pick


def test_a_run_that_nobody_turned_says_nothing_of_it() -> None:
    run = RunConfig(SCENARIO, PAPER)
    assert run.content() == {**SCENARIO.content(), "method": "pru", "variant": "paper"}
    assert (str(PAPER), PAPER.plain) == ("pru:paper", PAPER)


def test_equal_parameters_share_a_result_whatever_they_are_called() -> None:
    by_hand = replace(Pick("pru", "released"), changes=(("lambda_s", 0.0),))
    keys = {run_key(RunConfig(SCENARIO, pick)) for pick in (by_hand, Pick("pru", "no_ls"))}
    assert len(keys) == 1


def test_the_origin_says_what_each_value_was() -> None:
    origin = setting_of(RunConfig(SCENARIO, HAND)).origin
    assert origin.startswith("turned by hand: λ_s = 0 instead of 1; the rest: not published")


def test_epochs_turned_by_hand_count_beyond_the_presets_limit() -> None:
    longer = replace(PAPER, changes=(("epochs", 20),))
    assert planned_epochs(RunConfig(SCENARIO, PAPER)) == 5
    assert planned_epochs(RunConfig(SCENARIO, longer)) == 20
    params = setting_of(RunConfig(SCENARIO, HAND)).params
    assert isinstance(params, PRUParams)
    assert params.epochs == 5, "turning something else leaves the limit"


@pytest.mark.parametrize(
    ("preset", "epochs", "left"),
    [("classroom", 5, ()), ("classroom", 10, (("epochs", 10),)), ("full", 10, ())],
)
def test_a_value_that_the_variant_has_there_is_no_change(
    preset: str, epochs: int, left: tuple[tuple[str, int], ...]
) -> None:
    pick, objections = turned(PAPER, {"epochs": epochs}, Scenario(preset=preset))
    assert (pick.changes, objections) == (left, [])


def test_no_batch_is_turned_beyond_what_the_device_takes() -> None:
    query = {"a": "pru:paper", "a.batch_size": "256", "max_batch": "64"}
    view, notices = view_from_query(query)
    assert view.a == PAPER, "64 is what the variant has there"
    assert notices == [
        "The link asks for a.batch_size “256”; it must be a whole number from 2 to 64. Showing 64."
    ]


BAD = {
    "-1": (0.0, "“-1”; it must be a number from 0 to 100. Showing 0."),
    "500": (100.0, "“500”; it must be a number from 0 to 100. Showing 100."),
    "nan": (None, "“nan”; it must be a number from 0 to 100."),
    "inf": (None, "“inf”; it must be a number from 0 to 100."),
    "": (None, "“”; it must be a number from 0 to 100."),
    "true": (None, "“true”; it must be a number from 0 to 100."),
    "<b>" * 9999: (None, "“<b><b><b><b><b><b><b><b…”; it must be a number from 0 to 100."),
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_value_becomes_the_nearest_or_none_with_a_notice(text: str) -> None:
    value, sentence = BAD[text]
    view, notices = view_from_query({"b": "pru:paper", "b.lambda_s": text})
    assert view.b.changes == (() if value is None else (("lambda_s", value),))
    assert notices == [f"The link asks for b.lambda_s {sentence}"]
    assert view_from_query(view.query()) == (view, [])


def test_other_bad_changes_are_left_out_with_a_notice_each() -> None:
    view, notices = view_from_query(
        {"b.attack": "magic", "b.nothing": "1", "b.": "1", "b.epochs": "2.5"}
    )
    assert view == View()
    assert len(notices) == 4
    assert notices[0] == "The link asks for b.attack “magic”; it must be fgsm or pgd."
    assert notices[1].startswith("The link asks for “b.nothing”, but there are learning_rate, ")


def test_the_original_has_nothing_to_turn() -> None:
    view, notices = view_from_query({"a": "original", "a.epochs": "3"})
    assert view.a == Pick("original", "paper")
    assert notices == ["The link asks for “a.epochs”, but there is nothing to set."]


def test_what_was_turned_about_an_unknown_method_goes_with_it() -> None:
    view, notices = view_from_query({"a": "magic", "a.lambda_s": "0.7"})
    assert view == View()
    assert len(notices) == 1


def test_what_was_turned_stays_where_another_network_has_other_variants() -> None:
    query = {"model": "allcnn", "a": "pru:tuned", "a.lambda_s": "0.5"}
    view, notices = view_from_query(query)
    assert view.a == replace(PAPER, changes=(("lambda_s", 0.5),))
    assert len(notices) == 1


def test_a_turned_run_is_called_after_what_differs() -> None:
    two = replace(PAPER, changes=(("lambda_o", 0.3), ("lambda_s", 0.0)))
    assert (pick_name(HAND), variant_name(HAND)) == ("PRU (paper, λ_s = 0)", "paper, λ_s = 0")
    assert pick_name(two) == "PRU (paper, λ_o = 0.3, λ_s = 0)"
    shrink = Pick("boundary_shrink", "tuned", (("attack", "pgd"),))
    assert short_name(shrink) == "BoundShrink (tuned, attack = pgd)"
    assert pick_name(Pick("retrain", "paper", (("epochs", 2),))) == "Retrain (epochs = 2)"


def test_more_than_two_changes_are_counted_and_still_told_apart() -> None:
    some = [
        replace(PAPER, changes=(("lambda_o", o), ("lambda_p", 2.0), ("lambda_s", 0.0)))
        for o in (0.1, 0.2)
    ]
    names = [pick_name(pick) for pick in some]
    assert all(re.fullmatch(r"PRU \(paper, #[0-9a-f]{4}: 3 changes\)", name) for name in names)
    assert len(set(names)) == 2


def test_a_turned_run_is_drawn_in_the_colour_of_its_method_and_otherwise_by_itself() -> None:
    for run in TURNED:
        plain, hand = stroke_of(run.pick.plain), stroke_of(run.pick)
        assert hand.color == plain.color
        assert hand.dash != plain.dash
        assert hand.symbol in TURNED_SYMBOLS
        go.Scatter(marker={"symbol": hand.symbol}, line={"dash": hand.dash})  # there are such
    strokes = {stroke_of(run.pick) for run in TURNED if run.pick.method == "pru"}
    assert len(strokes) > 20, "few of them share a dash and a marker"


def test_no_method_has_the_marker_of_what_was_turned() -> None:
    assert not {stroke.symbol for stroke in METHOD_STROKES.values()} & {*TURNED_SYMBOLS}


def test_turned_runs_have_files_and_map_jobs_of_their_own() -> None:
    picks = [PAPER, HAND, replace(HAND, changes=(("lambda_s", 0.5),))]
    runs = [RunConfig(SCENARIO, pick) for pick in picks]
    assert len({map_job_key([run], "time") for run in runs}) == len(runs)
    names = [set(shipped(run).values()) for run in runs]
    assert all(":" not in name for each in names for name in each)
    # Only the maps of the scenario are of all of them.
    assert {name.rpartition(".")[2] for name in names[0] & names[1]} == {"map"}


def test_turned_runs_are_listed_behind_the_variants_and_once() -> None:
    picks = [run.pick for run in runs_of(SCENARIO, HAND, PAPER, HAND)]
    assert picks == [*(run.pick for run in runs_of(SCENARIO)), HAND]
