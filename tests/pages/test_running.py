"""A comparison that nobody has computed: run it, watch it, stop it, come back to it."""

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pru_demo.config import RunConfig
from pru_demo.experiment.keys import features_key, map_key, perceived_key, placed_key, run_key
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.tasks import MAP, RUN
from pru_demo.figures.naming import pick_name
from pru_demo.links import View
from pru_demo.store import Store
from pru_demo.ui.shared import running
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import (
    BUNDLED,
    MISSING,
    NOT_BUNDLED,
    SCENARIO_PAGES,
    SHIPPED,
    buttons,
    figures,
    go,
    new_session,
    pictures,
    problems,
    texts,
)

NOW = 1042.0
needs_records = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)


@pytest.fixture(autouse=True)
def clock(ui_modules: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is always the same moment."""
    monkeypatch.setattr(running, "time", SimpleNamespace(time=lambda: NOW))


def press_run(app: AppTest) -> AppTest:
    (button,) = buttons(app, "run.")
    return button.click().run()


def finish(store: Store, config: RunConfig) -> RunRecord:
    """Store a shipped run's result as that of another scenario."""
    shipped = store.get(run_key(SHIPPED.runs()["A"]))
    assert shipped is not None
    record = replace(RunRecord.from_entry(shipped), config=config)
    entry = record.to_entry()
    store.put(run_key(config), entry.meta, entry.arrays)
    perceived = store.get(perceived_key(SHIPPED.runs()["A"]))
    assert perceived is not None
    # Fewer of the other class are shown.
    count = int(record.forgotten.sum())
    fewer = {k: a if k == "moved" else a[..., :count] for k, a in perceived.arrays.items()}
    store.put(perceived_key(config), perceived.meta, fewer)
    return record


def test_every_page_offers_to_run_it_and_shows_no_figure(engine: FakeEngine) -> None:
    app = new_session(MISSING)
    for page in SCENARIO_PAGES:
        go(app, page.name)
        assert problems(app) == [], page.name
        assert pictures(app) == 0, page.name
        (button,) = buttons(app, "run.")
        for pick in (MISSING.a, MISSING.b):
            assert pick_name(pick) in button.label, page.name
            assert pick_name(pick) in app.info[0].value, page.name
    assert engine.submitted == []


def test_pressing_run_submits_one_job_for_each_missing_run(engine: FakeEngine) -> None:
    app = press_run(go(new_session(MISSING), "forget"))
    assert [(job.task, job.key) for job in engine.submitted] == [
        (RUN, run_key(config)) for config in MISSING.runs().values()
    ]
    for job, config in zip(engine.submitted, MISSING.runs().values(), strict=True):
        arguments = dict(job.arguments)
        assert re.fullmatch("[0-9a-f]{16}", arguments.pop("owner")), "never the visitor's name"
        assert arguments == {"config": config.content(), "again": False, "resume": False}
    app.run()
    go(app, "start")
    assert len(engine.submitted) == 2
    assert buttons(app, "run.") == []


def test_a_method_beside_itself_is_one_job(engine: FakeEngine) -> None:
    press_run(new_session(replace(MISSING, b=MISSING.a)))
    assert len(engine.submitted) == 1


@needs_records
def test_only_the_missing_one_of_two_is_submitted(store: Store, engine: FakeEngine) -> None:
    finish(store, MISSING.runs()["A"])
    app = new_session(MISSING)
    assert pick_name(MISSING.a) not in app.info[0].value
    press_run(app)
    assert [job.key for job in engine.submitted] == [run_key(MISSING.runs()["B"])]


def test_a_waiting_job_says_its_place_in_the_queue(engine: FakeEngine) -> None:
    app = press_run(new_session(MISSING))
    engine.submitted[1].waiting = 7
    app.run()
    waiting = f"**{pick_name(MISSING.b)}**: waiting, number 7 in the queue"
    assert f"{waiting}; no run like those before it has been timed here yet" in texts(app)
    engine.submitted[1].starts_in = 150
    app.run()
    assert f"{waiting}, starts in about 2 min" in texts(app)


def test_a_full_queue_says_when_to_try_again(engine: FakeEngine) -> None:
    engine.refuses = "The queue is full; try again in about 3 minutes."
    app = press_run(new_session(MISSING))
    assert [e.value for e in app.error] == [engine.refuses]
    assert len(app.exception) == 0
    engine.refuses = ""
    press_run(app)
    assert len(engine.submitted) == 2


def test_who_looks_at_a_run_is_counted_until_he_cancels(engine: FakeEngine) -> None:
    app = press_run(new_session(MISSING))
    first, second = engine.submitted
    first.run(started=NOW)
    app.run()
    assert first.watchers == second.watchers == 1
    first.watched_by.add("another visitor")
    app.run()
    cancel = {button.key: button for button in buttons(app, "cancel.")}
    cancel[f"cancel.{first.id}"].click().run()
    app.run()
    assert first.watched_by == {"another visitor"}, "not counted again by the next look"
    assert second.watchers == 1
    assert "1 others follow it" not in texts(app)
    assert "Another visitor follows it, so it goes on." in texts(app)


def test_a_task_that_does_not_report_is_said_to_be_silent(engine: FakeEngine) -> None:
    app = press_run(new_session(MISSING))
    job = engine.submitted[0].run(started=NOW - 300).say(NOW - 200, message="Loading")
    app.run()
    assert "Loading · 5 min · no news for 3 min" in texts(app)
    job.snapshot(NOW - 30, done=1, a_f=50, a_r=90)
    app.run()
    assert "no news" not in texts(app)


def test_a_clock_that_was_set_back_shows_no_negative_seconds(engine: FakeEngine) -> None:
    app = press_run(new_session(MISSING))
    engine.submitted[0].run(started=NOW + 3600)
    app.run()
    assert "starting a worker · 0 s" in texts(app)


def test_an_interrupted_run_says_how_far_it_came_and_resumes_from_there(engine: FakeEngine) -> None:
    app = press_run(new_session(MISSING))
    job = engine.submitted[0].run(started=NOW)
    job.snapshot(NOW, done=6, a_f=50, a_r=90, label="Unlearning, epoch 3, E step").interrupt()
    engine.submitted[1].end("done")
    app.run()
    assert "was interrupted at “Unlearning, epoch 3, E step”" in texts(app)
    assert problems(app) == []
    (resume,) = buttons(app, "resume.")
    resume.click().run()
    assert len(engine.submitted) == 3
    again = engine.submitted[2]
    assert again.key == job.key
    assert (again.arguments["again"], again.arguments["resume"]) == (True, True)


def test_out_of_memory_offers_smaller_batches(engine: FakeEngine) -> None:
    app = press_run(new_session(replace(MISSING, b=MISSING.a)))
    engine.submitted[0].fail("The device ran out of memory.", "ab12cd34", "OutOfMemoryError")
    app.run()
    (smaller,) = buttons(app, "smaller.")
    assert smaller.label == "Use batches of 64 images"
    smaller.click().run()
    assert app.query_params["max_batch"] == "64"
    press_run(app)
    assert engine.submitted[1].arguments["config"]["max_batch"] == 64


def test_other_failures_offer_no_smaller_batches(engine: FakeEngine) -> None:
    app = press_run(new_session(MISSING))
    engine.submitted[0].fail("The worker died.", "ab12cd34", "ProcessExpired")
    engine.submitted[1].stop()
    app.run()
    assert buttons(app, "smaller.") == []


def test_a_running_job_says_step_accuracies_and_seconds_and_draws_them(engine: FakeEngine) -> None:
    app = press_run(new_session(MISSING))
    engine.submitted[0].run(started=NOW - 42).say(1001, message="Loading the network")
    app.run()
    assert "Loading the network · 42 s" in texts(app)
    assert figures(app) == []
    engine.submitted[0].snapshot(1010, done=1, a_f=97.6, a_r=99.2)
    app.run()
    assert "Unlearning, epoch 1 · A_f 98 %, A_r 99 % · 42 s" in texts(app)
    assert len(figures(app)) >= 1
    before = figures(app)
    engine.submitted[0].snapshot(1020, done=3, a_f=12.3, a_r=95.4, label="Unlearning, epoch 2")
    app.run()
    # Two of ten steps took ten seconds, seven are left.
    assert "Unlearning, epoch 2 · A_f 12 %, A_r 95 % · 42 s, about 35 s to go" in texts(app)
    assert figures(app) != before
    assert problems(app) == []


def test_training_an_original_first_is_said(engine: FakeEngine) -> None:
    app = press_run(new_session(replace(MISSING, scenario=replace(MISSING.scenario, seed=8))))
    engine.submitted[0].run(started=NOW - 5).say(NOW, training_original=3)
    app.run()
    assert "no network of this seed is shipped, so it is trained first: epoch 3" in texts(app)


def test_after_a_worker_died_only_the_second_attempt_is_drawn(engine: FakeEngine) -> None:
    app = press_run(new_session(MISSING))
    job = engine.submitted[0].run(started=NOW)
    job.snapshot(NOW, done=1, a_f=50, a_r=99)
    job.reported.append(replace(job.reported[0], number=2, attempt=2))
    job.reported[1].data["snapshot"]["A_f"] = 49.5
    app.run()
    lines = [trace["y"] for figure in figures(app) for trace in figure["data"]]
    assert problems(app) == []
    assert lines != []


def test_cancel_stops_that_job_and_no_other(engine: FakeEngine) -> None:
    app = press_run(new_session(MISSING))
    first, second = engine.submitted
    first.run(started=NOW)
    app.run()
    cancel = {button.key: button for button in buttons(app, "cancel.")}
    assert len(cancel) == 2
    cancel[f"cancel.{first.id}"].click().run()
    assert len(first.cancelled_with) == 1
    assert second.cancelled_with == []


def test_a_cancelled_run_says_so_and_may_be_run_again(engine: FakeEngine) -> None:
    app = press_run(new_session(MISSING))
    for job in engine.submitted:
        job.stop()
    app.run()
    for pick in (MISSING.a, MISSING.b):
        assert f"{pick_name(pick)} was cancelled" in texts(app)
    press_run(app)
    assert len(engine.submitted) == 4


def test_a_failed_run_gives_a_sentence_with_reference_and_may_be_run_again(
    engine: FakeEngine,
) -> None:
    app = press_run(new_session(MISSING))
    engine.submitted[0].fail("The machine ran out of memory.", "ab12cd34")
    engine.submitted[1].stop()
    app.run()
    assert [e.value for e in app.error] == ["The machine ran out of memory. Reference ab12cd34."]
    assert len(app.exception) == 0
    press_run(app)
    assert len(engine.submitted) == 4


@needs_records
def test_a_failed_rerun_leaves_the_figures_of_the_earlier_run(engine: FakeEngine) -> None:
    app = go(new_session(SHIPPED), "forget")
    title, drawn = app.title[0].value, len(figures(app))
    app.button(key=f"run.{SHIPPED.a.stem}.{SHIPPED.b.stem}").click().run()
    assert [job.arguments["again"] for job in engine.submitted] == [True, True]
    for job in engine.submitted:
        job.fail("The worker died.", "ab12cd34")
    app.run()
    assert {e.value for e in app.error} == {"The worker died. Reference ab12cd34."}
    assert app.title[0].value == title
    assert len(figures(app)) == drawn


@needs_records
def test_a_running_rerun_leaves_the_figures_of_the_earlier_run(engine: FakeEngine) -> None:
    app = go(new_session(SHIPPED), "forget")
    drawn = len(figures(app))
    app.button(key=f"run.{SHIPPED.a.stem}.{SHIPPED.b.stem}").click().run()
    engine.submitted[0].run(started=NOW)
    app.run()
    assert len(figures(app)) == drawn
    assert "starting a worker · 0 s" in texts(app)
    assert problems(app) == []


def test_another_session_sees_the_same_job(engine: FakeEngine) -> None:
    press_run(new_session(MISSING))
    engine.submitted[0].run(started=NOW - 9).snapshot(NOW, done=1, a_f=90, a_r=91)
    other = go(new_session(MISSING), "relearning")
    assert "A_f 90 %, A_r 91 %" in texts(other)
    assert buttons(other, "run.") == []
    assert len(engine.submitted) == 2


def test_the_jobs_of_another_view_are_not_shown() -> None:
    press_run(new_session(MISSING))
    other = View(replace(MISSING.scenario, forget=(4,)), MISSING.a, MISSING.b)
    app = new_session(other)
    assert len(buttons(app, "run.")) == 1
    assert len(app.get("progress")) == 0


@needs_records
def test_when_both_are_done_the_page_shows_them(store: Store, engine: FakeEngine) -> None:
    app = press_run(go(new_session(MISSING), "relearning"))
    for config, job in zip(MISSING.runs().values(), engine.submitted, strict=True):
        finish(store, config)
        job.end("done")
    app.run()
    assert app.title[0].value == "Make it remember 3"
    assert len(figures(app)) >= 1
    assert problems(app) == []


@needs_records
def test_a_run_that_was_computed_anew_replaces_the_old_one(store: Store) -> None:
    config = MISSING.runs()["A"]
    record = finish(store, config)
    view = replace(MISSING, b=MISSING.a)
    app = go(new_session(view), "forget")
    before = figures(app)
    entry = replace(
        record,
        seconds={stage: each + 1 for stage, each in record.seconds.items()},
        snapshots=tuple(replace(s, A_f=33.3) for s in record.snapshots),
    ).to_entry()
    store.put(run_key(config), entry.meta, entry.arrays)
    app.run()
    assert figures(app) != before


# ---- the map of a run that has just been computed ---------------------------------------------


@needs_records
def test_without_features_no_map_is_drawn_and_the_page_says_what_to_do(
    store: Store, engine: FakeEngine
) -> None:
    for config in MISSING.runs().values():
        finish(store, config)
    app = go(new_session(MISSING), "perception")
    assert problems(app) == []
    assert "run it again on the page Forget" in texts(app)
    assert engine.submitted == []


@needs_records
def test_a_shipped_run_that_was_run_anew_is_put_on_the_map_of_the_others(
    store: Store, engine: FakeEngine
) -> None:
    import numpy as np

    run = SHIPPED.runs()["A"]
    record = store.get(run_key(run))
    assert record is not None
    shape = (len(record.meta["snapshots"]), len(record.arrays["labels"]), 8)
    features = np.random.default_rng(0).normal(size=shape).astype(np.float16)
    store.put(features_key(run), {}, {"features": features})
    store.withdraw(placed_key(run, "time"))
    app = go(new_session(SHIPPED), "perception")
    assert problems(app) == []
    assert "run it again" not in texts(app)
    (job,) = engine.submitted
    assert (job.task, job.arguments) == (MAP, {"configs": [run.content()], "kind": "time"})


@needs_records
def test_a_missing_map_is_drawn_once_and_a_plane_shown_meanwhile(
    store: Store, engine: FakeEngine
) -> None:
    import numpy as np

    view = replace(MISSING, b=MISSING.a)
    config = view.runs()["A"]
    record = finish(store, config)
    shape = (len(record.snapshots), len(record.arrays["labels"]), 8)
    features = np.random.default_rng(0).normal(size=shape).astype(np.float16)
    store.put(features_key(config), {}, {"features": features})
    app = go(new_session(view), "perception")
    (job,) = engine.submitted
    assert (job.task, job.arguments) == (MAP, {"configs": [config.content()], "kind": "time"})
    assert pictures(app) == 5  # the plane, and what was measured in feature space
    job.run(started=NOW).say(NOW, message="Fitting the map", share=0.25)
    app.run()
    assert "Fitting the map. Meanwhile, the dots where they are first put." in texts(app)
    job.fail("The map failed.", "ab12cd34")
    app.run()
    assert "The map failed." in next(e.value for e in app.error)
    assert pictures(app) == 5
    assert len(engine.submitted) == 1
    next(b for b in app.button if b.label == "Draw it again").click().run()
    assert len(engine.submitted) == 2
    for make in (map_key, placed_key):
        shipped = store.get(make(SHIPPED.runs()["A"], "time"))
        assert shipped is not None
        store.put(make(config, "time"), shipped.meta, shipped.arrays)
    engine.submitted[1].end("done")
    app.run()
    assert problems(app) == []
    assert "Meanwhile" not in texts(app)
    assert pictures(app) == 5
