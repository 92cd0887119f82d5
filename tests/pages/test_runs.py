"""The page Runs: all runs as a table, and what may be done with the selected ones."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment.keys import (
    classic_key,
    features_key,
    inside_key,
    measures_key,
    partial_key,
    perceived_key,
    placed_key,
    run_key,
    unlearned_key,
    weights_key,
)
from pru_demo.experiment.maps import KINDS
from pru_demo.experiment.record import RunRecord
from pru_demo.store import Store, StoreUnavailable
from pru_demo.store.entry import SCHEMA
from pru_demo.ui import visitor
from pru_demo.ui.runs import run_actions
from pru_demo.ui.runs.stored_runs import stored_runs
from tests.figures.records import record_with
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import (
    BUNDLED,
    NOT_BUNDLED,
    SHIPPED,
    bundled_runs,
    buttons,
    go,
    new_session,
    problems,
    texts,
)

NAME = "ABCDEFGHIJKLMNOPQRSTUV"
ME, SOMEBODY = visitor.owner(NAME), "b" * 16
PARTS = (
    *(run_key, weights_key, features_key, perceived_key),
    *(inside_key, measures_key, classic_key, partial_key, unlearned_key),
    *(partial(placed_key, kind=kind) for kind in KINDS),
)
SEVEN = Scenario(seed=11)
needs_records = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)


def keep(store: Store, record: RunRecord, **made_with: str) -> RunConfig:
    """Store everything there can be of a run."""
    record = replace(record, made_with={**record.made_with, **made_with})
    for make in PARTS:
        store.put(make(record.config), {}, {"x": np.zeros(1)})
    entry = record.to_entry()
    store.put(run_key(record.config), entry.meta, entry.arrays)
    return record.config


@pytest.fixture
def mine(store: Store) -> RunConfig:
    """A run that this browser made."""
    return keep(store, record_with([0, 5], "pru", SEVEN), owner=ME)


@pytest.fixture
def theirs(store: Store) -> RunConfig:
    """One that another did, on the same scenario."""
    return keep(store, record_with([0, 99], "boundary_shrink", SEVEN), owner=SOMEBODY)


@pytest.fixture
def app(store: Store, engine: FakeEngine) -> AppTest:
    """The page as this browser sees it."""
    app = new_session(SHIPPED)
    # Where there is no cookie, the session has the name.
    app.session_state["visitor"] = NAME
    return go(app, "runs")


def table(app: AppTest) -> pd.DataFrame:
    """The table, with store keys as its index."""
    found: pd.DataFrame = app.dataframe[0].value
    return found


def select(app: AppTest, configs: Sequence[RunConfig]) -> AppTest:
    """Tick the rows of these runs and no others."""
    rows = [int(table(app).index.get_loc(run_key(config))) for config in configs]
    widget = app.dataframe[0].proto.id.rpartition("-")[2]
    app.session_state[widget] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return app.run()


def links(app: AppTest) -> dict[str, str]:
    """The pages that the selection leads to, with their queries."""
    protos = [element.proto for element in app.get("page_link")]
    return {proto.page: proto.query_string for proto in protos if proto.query_string}


@needs_records
def test_every_shipped_run_is_a_row_marked_as_such(app: AppTest) -> None:
    assert problems(app) == []
    assert set(table(app).index) == {run_key(run) for run in bundled_runs()}
    assert set(table(app)["whose"]) == {"shipped"}
    assert f"**{len(bundled_runs())}** runs of" in texts(app)


def test_the_table_says_whose_a_run_is_and_never_by_name(
    app: AppTest, mine: RunConfig, theirs: RunConfig
) -> None:
    whose = table(app.run())["whose"]
    assert whose[run_key(mine)] == "you"
    assert whose[run_key(theirs)] == "another visitor"
    assert "1 of them yours" in texts(app)
    shown = texts(app) + table(app).to_csv()
    assert [name for name in (NAME, ME, SOMEBODY) if name in shown] == []


@needs_records
def test_a_shipped_run_that_was_run_anew_is_ones_own_until_it_is_deleted(
    app: AppTest, store: Store, engine: FakeEngine
) -> None:
    entry = store.get(run_key(bundled_runs()[0]))
    assert entry is not None
    config = keep(store, RunRecord.from_entry(entry), owner=ME)
    engine.submit("task", {}, key=run_key(config))
    engine.submitted[0].end("done")
    assert table(app.run())["whose"][run_key(config)] == "you"
    press_delete(select(app, [config]))
    app.button(key="runs.delete.yes").click().run()
    assert table(app)["whose"][run_key(config)] == "shipped"


def test_without_any_run_the_page_says_where_to_start(use_store: Any, tmp_path: Any) -> None:
    store = Store(tmp_path / "nothing")
    use_store(store)
    app = go(new_session(SHIPPED), "runs")
    assert problems(app) == []
    assert "Nothing has been run here yet" in texts(app)
    store.close()


def test_entries_that_are_no_runs_are_left_out_and_counted(
    app: AppTest, store: Store, mine: RunConfig
) -> None:
    store.put(f"v{SCHEMA}:run:" + "0" * 64, {"config": "foreign"}, {})
    store.put(f"v{SCHEMA}:run:" + "1" * 64, {}, {"x": np.zeros(3)})
    app.run()
    assert problems(app) == []
    assert run_key(mine) in table(app).index
    assert "cannot read them: 2." in texts(app)


def test_filters_narrow_the_table(
    app: AppTest, store: Store, mine: RunConfig, theirs: RunConfig
) -> None:
    keep(store, record_with([0, 5], "pru", Scenario(forget=(3,))))
    app.run()
    app.toggle(key="runs.mine").set_value(True).run()
    assert list(table(app).index) == [run_key(mine)]
    app.toggle(key="runs.mine").set_value(False).run()
    app.selectbox(key="runs.Forgot").set_value("3").run()
    assert set(table(app)["forgot"]) == {"3"}
    app.selectbox(key="runs.Method").set_value("boundary_shrink").run()
    assert problems(app) == []
    assert "No run fits all of these filters" in texts(app)
    app.selectbox(key="runs.Forgot").set_value(None).run()
    assert run_key(theirs) in table(app).index


def test_a_filter_for_what_was_deleted_is_forgotten(
    app: AppTest, store: Store, mine: RunConfig
) -> None:
    other = keep(store, record_with([0, 5], "boundary_expanding", SEVEN))
    app.run()
    app.selectbox(key="runs.Method").set_value("boundary_expanding").run()
    assert list(table(app).index) == [run_key(other)]
    store.delete(run_key(other))
    app.run()
    assert problems(app) == []
    assert run_key(mine) in table(app).index


def test_one_selected_run_opens_beside_b_if_b_was_run_there(
    app: AppTest, store: Store, mine: RunConfig
) -> None:
    select(app.run(), [mine])
    assert set(links(app)) == {"forget", "perception", "redistribution", "relearning"}
    assert all("seed=11" in query for query in links(app).values())
    assert all("b=pru%3Apaper" in query for query in links(app).values())
    b = RunConfig(SEVEN, SHIPPED.b)
    keep(store, replace(record_with([0, 5], scenario=SEVEN), config=b))
    select(app.run(), [mine])
    assert all("b=boundary_shrink%3Atuned" in query for query in links(app).values())


def test_two_runs_of_one_scenario_can_be_compared(
    app: AppTest, mine: RunConfig, theirs: RunConfig
) -> None:
    select(app.run(), [mine, theirs])
    assert "Compare **" in texts(app)
    query = links(app)["relearning"]
    assert "pru%3Apaper" in query
    assert "boundary_shrink%3Apaper" in query
    assert "seed=11" in query


def test_two_runs_of_different_scenarios_cannot(
    app: AppTest, store: Store, mine: RunConfig
) -> None:
    other = keep(store, record_with([0, 5], "pru", Scenario(seed=12)))
    select(app.run(), [mine, other])
    assert "cannot be compared" in texts(app)
    assert links(app) == {}


def test_running_again_submits_that_run_and_shows_its_progress(
    app: AppTest, engine: FakeEngine, mine: RunConfig
) -> None:
    select(app.run(), [mine])
    (button,) = buttons(app, "run.")
    button.click().run()
    (job,) = engine.submitted
    assert job.key == run_key(mine)
    assert job.arguments["again"] is True
    assert "waiting, number 1 in the queue" in texts(app)
    assert "**1 waiting**" in texts(app)


def test_what_the_engine_is_busy_with_is_counted(
    app: AppTest, engine: FakeEngine, mine: RunConfig
) -> None:
    assert "On this server now" not in texts(app)
    for number in range(5):
        engine.submit("task", {}, key=f"v1:run:{number}")
    for job in engine.submitted[:2]:
        job.run(started=0.0)
    assert "**2 running, 3 waiting**" in texts(app.run())
    for job in engine.submitted:
        job.end("done")
    assert "On this server now" not in texts(app.run())


def test_a_run_that_a_job_computed_anew_is_read_again(
    app: AppTest, engine: FakeEngine, store: Store, mine: RunConfig
) -> None:
    assert table(app.run())["A_f"][run_key(mine)] == 0
    job = engine.submit("task", {}, key=run_key(mine))
    keep(store, record_with([12, 5], "pru", SEVEN), owner=ME)
    engine.submitted[0].end("done")
    assert job.finished is not None
    assert table(app.run())["A_f"][run_key(mine)] == 12


def test_a_selection_follows_its_run_when_rows_come_and_go(
    app: AppTest, store: Store, mine: RunConfig
) -> None:
    select(app.run(), [mine])
    newer = keep(store, record_with([0, 5], "boundary_expanding", SEVEN), made="2099-01-01")
    before = list(table(app).index).index(run_key(mine))
    app.run()
    assert table(app).index[0] == run_key(newer)
    assert list(table(app).index).index(run_key(mine)) == before + 1
    assert "Open **PRU (paper)**" in texts(app)
    store.delete(run_key(mine))
    app.run()
    assert problems(app) == []
    assert "Select a run to open it" in texts(app)


def test_the_selected_runs_are_exported_with_all_their_numbers(
    app: AppTest, mine: RunConfig, theirs: RunConfig
) -> None:
    select(app.run(), [mine])
    assert [b.label for b in app.get("download_button")][1] == "All numbers as JSON (1)"
    (run,) = (run for run in stored_runs()[0] if run.key == run_key(mine))
    (exported,) = json.loads(run_actions.summaries([run]))["runs"]
    assert (exported["dataset"], exported["method"], exported["seed"]) == ("mnist", "pru", 11)
    assert exported["A_f"] == [0, 5]


def press_delete(app: AppTest) -> AppTest:
    (button,) = buttons(app, "runs.delete")
    button.click().run()
    return app


def test_ones_own_run_is_deleted_whole_once_confirmed(
    app: AppTest, store: Store, mine: RunConfig, theirs: RunConfig
) -> None:
    select(app.run(), [mine, theirs])
    press_delete(app)
    assert "- **PRU (paper)** on MNIST, forgot 9 (classroom, seed 11)" in texts(app)
    assert "Boundary Shrink (paper)** on" not in texts(app)
    assert "What else is selected stays" in texts(app)
    assert store.get(run_key(mine)) is not None
    app.button(key="runs.delete.yes").click().run()
    assert problems(app) == []
    assert [make(mine) for make in PARTS if store.get(make(mine)) is not None] == []
    assert [make(theirs) for make in PARTS if store.get(make(theirs)) is None] == []
    assert run_key(mine) not in table(app).index
    assert [toast.value for toast in app.toast] == ["Deleted 1 run."]


def test_what_is_kept_is_kept(app: AppTest, mine: RunConfig) -> None:
    press_delete(select(app.run(), [mine]))
    app.button(key="runs.delete.no").click().run()
    assert run_key(mine) in table(app).index


def test_runs_of_others_cannot_be_deleted(app: AppTest, theirs: RunConfig) -> None:
    select(app.run(), [theirs])
    (button,) = buttons(app, "runs.delete")
    assert button.disabled


@needs_records
def test_shipped_runs_cannot_be_deleted(app: AppTest) -> None:
    select(app, bundled_runs()[:2])
    (button,) = buttons(app, "runs.delete")
    assert button.disabled


def test_a_run_that_another_ran_anew_meanwhile_stays(
    app: AppTest, store: Store, mine: RunConfig
) -> None:
    press_delete(select(app.run(), [mine]))
    keep(store, record_with([0, 5], "pru", SEVEN), owner=SOMEBODY)
    app.button(key="runs.delete.yes").click().run()
    assert store.get(run_key(mine)) is not None
    assert any("no longer yours" in toast.value for toast in app.toast)


def test_a_store_that_does_not_delete_gets_a_sentence(
    app: AppTest, store: Store, mine: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    press_delete(select(app.run(), [mine]))

    def refuse(key: str) -> None:
        raise StoreUnavailable("The disk is read-only.")

    monkeypatch.setattr(store, "delete", refuse)
    app.button(key="runs.delete.yes").click().run()
    assert len(app.exception) == 0
    assert [toast.value for toast in app.toast] == ["The disk is read-only."]
    assert run_key(mine) in table(app).index


def test_a_run_whose_data_are_not_here_cannot_be_run_again(
    app: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_actions, "available", lambda _: False)
    there = Scenario(dataset="cifar10", model="allcnn")
    record = replace(record_with([0, 5]), config=RunConfig(there, Pick("pru", "paper")))
    config = keep(store, record)
    select(app.run(), [config])
    assert buttons(app, "run.") == []
    assert "CIFAR-10 is not on this machine" in texts(app)
