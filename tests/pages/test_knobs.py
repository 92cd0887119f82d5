"""Turning the knobs: a form on Forget that ends in the link, and so on every page."""

from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pru_demo.config import Pick, RunConfig, runs_of, setting_of
from pru_demo.experiment.keys import KINDS
from pru_demo.figures.layers import Measured
from pru_demo.figures.naming import pick_name
from pru_demo.knobs import Choice, Span, words_of
from pru_demo.links import View, knobs_on
from pru_demo.store import Store
from pru_demo.ui.forget.knobs_form import positions
from pru_demo.ui.inside.measured_sections import _reference
from pru_demo.ui.shared.comparison import Comparison
from tests.figures.records import record_with
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import (
    BUNDLED,
    MISSING,
    NOT_BUNDLED,
    SCENARIO_PAGES,
    SHIPPED,
    buttons,
    go,
    new_session,
    problems,
    texts,
)

PAPER = Pick("pru", "paper")
HAND = View(SHIPPED.scenario, replace(PAPER, changes=(("lambda_s", 0.0),)), PAPER)


def forget(view: View) -> AppTest:
    return go(new_session(view), "forget")


def knobs(app: AppTest, letter: str) -> dict[str, Any]:
    """The widgets of A or B by the parameter's name."""
    widgets = [*app.select_slider, *app.toggle, *app.segmented_control]
    found = [(str(each.key).split("."), each) for each in widgets if each.key]
    return {key[3]: each for key, each in found if key[:2] == ["knobs", letter]}


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [each for each in app.button if each.label == label]
    return button.click().run()


def test_every_parameter_of_a_and_b_has_a_widget_at_its_value() -> None:
    for method in ("boundary_shrink", "scrub", "unroll", "retrain"):
        run = next(run for run in runs_of(SHIPPED.scenario) if run.pick.method == method)
        app = forget(View(run.scenario, PAPER, run.pick))
        assert problems(app) == []
        widgets, params = knobs(app, "B"), setting_of(run).params
        assert widgets.keys() == knobs_on(run.scenario, run.pick).keys()
        for name, widget in widgets.items():
            assert widget.value == getattr(params, name), name
            assert widget.label == words_of(name).symbol


def test_the_original_has_no_knobs() -> None:
    app = forget(View(SHIPPED.scenario, PAPER, Pick("original", "paper")))
    assert problems(app) == []
    assert knobs(app, "B") == {}
    assert knobs(app, "A") != {}


def test_the_form_is_there_also_where_the_run_is_missing() -> None:
    app = forget(MISSING)
    assert len(buttons(app, "run.")) == 1
    assert knobs(app, "A").keys() == knobs_on(MISSING.scenario, MISSING.a).keys()


def test_show_it_puts_what_was_turned_into_the_link_and_offers_the_run(
    engine: FakeEngine,
) -> None:
    app = forget(replace(SHIPPED, a=PAPER))
    knobs(app, "A")["lambda_s"].set_value(0.0)
    knobs(app, "A")["c_step_updates"].set_value("extractor")
    knobs(app, "B")["exclude_forget"].set_value(True)
    press(app, "Show it")
    assert problems(app) == []
    query = dict(app.query_params)
    assert {k: v for k, v in query.items() if k.startswith(("a", "b"))} == {
        "a": "pru:paper",
        "a.c_step_updates": "extractor",
        "a.lambda_s": "0",
        "b": "boundary_shrink:tuned",
        "b.exclude_forget": "true",
    }
    assert "PRU (paper, C step = extractor, λ_s = 0)" in app.info[0].value
    buttons(app, "run.")[0].click().run()
    assert [job.arguments["config"]["changes"] for job in engine.submitted] == [
        {"c_step_updates": "extractor", "lambda_s": 0.0},
        {"exclude_forget": True},
    ]


def test_what_is_left_where_it_was_is_no_change() -> None:
    app = press(forget(SHIPPED), "Show it")
    assert dict(app.query_params) == SHIPPED.query()


def test_a_turned_knob_says_what_it_was_and_goes_back() -> None:
    app = forget(HAND)
    assert knobs(app, "A")["lambda_s"].value == 0.0
    assert knobs(app, "A")["lambda_s"].label == "λ_s (paper: 1)"
    assert knobs(app, "B")["lambda_s"].label == "λ_s"
    assert "turned by hand: λ_s = 0 instead of 1" in texts(app)
    assert app.expander[0].label == "Turn the knobs · A: λ_s = 0"
    press(app, "Back to PRU (paper)")
    assert dict(app.query_params) == replace(HAND, a=PAPER).query()
    assert knobs(app, "A")["lambda_s"].value == 1.0
    assert app.expander[0].label == "Turn the knobs"


def test_another_amount_of_work_moves_what_nobody_turned() -> None:
    app = forget(replace(HAND, b=replace(PAPER, changes=(("epochs", 7),))))
    assert [knobs(app, letter)["epochs"].value for letter in "AB"] == [5, 7]
    app.segmented_control(key="bar.preset").set_value("full").run()
    assert [knobs(app, letter)["epochs"].value for letter in "AB"] == [10, 7]
    press(app, "Show it")
    assert "a.epochs" not in app.query_params
    assert app.query_params["b.epochs"] == "7"


@pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)
def test_a_turned_run_is_among_the_methods_of_the_bar_until_another_is_chosen() -> None:
    app = forget(HAND)
    method = app.selectbox(key="bar.a")
    assert method.value == HAND.a
    assert "PRU (paper, λ_s = 0)" in method.options
    app.segmented_control(key="bar.forget").set_value(4).run()
    assert app.query_params["a.lambda_s"] == "0", "another class leaves it turned"
    app.selectbox(key="bar.a").set_value(PAPER).run()
    assert problems(app) == []
    assert "a.lambda_s" not in app.query_params


@pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)
def test_every_page_shows_two_turned_runs_of_one_variant_beside_each_other(store: Store) -> None:
    other = replace(PAPER, changes=(("lambda_o", 0.5),))
    view = View(SHIPPED.scenario, HAND.a, other)
    for run in view.runs().values():
        give_results(store, run)
    app = new_session(view)
    for page in SCENARIO_PAGES:
        go(app, page.name)
        assert problems(app) == [], page.name
        assert dict(app.query_params) == view.query(), page.name
        names = {pick_name(view.a), pick_name(view.b)}
        if page.name in ("forget", "perception", "relearning", "redistribution", "inside"):
            assert all(name in texts(app) for name in names), page.name
        if page.name == "inside":
            assert "has not been measured" not in texts(app)
        if page.name == "perception":
            assert names <= set(app.dataframe[-1].value["run"])


def test_a_turned_retrain_is_no_yardstick() -> None:
    plain = record_with([0.0], "retrain")
    pick = Pick("retrain", "paper", (("epochs", 2),))
    turned = replace(plain, config=replace(plain.config, pick=pick))
    assert Comparison(SHIPPED, (turned,), (plain,), ()).yardstick("retrain") is plain
    assert Comparison(SHIPPED, (turned,), (), ()).yardstick("retrain") is None
    missing = Comparison(SHIPPED, (turned,), (), ()).missing_yardsticks()
    assert plain.config in missing
    measured = [Measured(record.config, {}, "") for record in (turned, plain)]
    assert _reference(measured, "retrain") == measured[1]


def give_results(store: Store, run: RunConfig) -> None:
    """Store what ships of PRU (paper) as the results of ``run``."""
    for kind in KINDS:
        entry = store.get(kind.key(replace(run, pick=PAPER)))
        if entry is not None:
            store.put(kind.key(run), entry.meta, entry.arrays)


def test_sliders_stop_at_ends_known_values_and_round_numbers() -> None:
    assert positions(Span(1, 5, True), 3, 3, logarithmic=False) == [1, 2, 3, 4, 5]
    assert positions(Span(2, 1024, True), 48, 64, logarithmic=False) == [
        2,
        4,
        8,
        16,
        32,
        48,
        64,
        128,
        256,
        512,
        1024,
    ]
    rates = positions(Span(0.0, 1.0, False), 0.03, 0.37, logarithmic=True)
    assert (rates[0], rates[1], rates[-1]) == (0.0, 1e-5, 1.0)
    assert {0.03, 0.37, 0.01, 0.02, 0.05} <= set(rates)
    shares = positions(Span(0.01, 1.0, False), 0.5, 0.5, logarithmic=False)
    assert (shares[:4], shares[-1], len(shares)) == ([0.01, 0.05, 0.1, 0.15], 1.0, 21)
    narrow = positions(Span(0.0, 0.1, False), 0.03, 0.03, logarithmic=False)
    assert narrow[:4] == [0.0, 0.005, 0.01, 0.015]


def test_all_stops_are_values_that_the_parameter_takes() -> None:
    for run in runs_of(SHIPPED.scenario):
        params = setting_of(run).params
        for name, knob in knobs_on(run.scenario, run.pick).items():
            match knob:
                case Span():
                    now, logarithmic = getattr(params, name), words_of(name).logarithmic
                    stops = positions(knob, now, now, logarithmic=logarithmic)
                    assert [knob.checked(stop, name) for stop in stops] == stops
                    assert 2 <= len(stops) <= 101
                case Choice(options):
                    assert getattr(params, name) in options
