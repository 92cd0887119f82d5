"""Inside: what is measured is shown, what is not is measured on a click."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment.keys import inside_key, run_key, weights_key
from pru_demo.experiment.tasks import INSIDE
from pru_demo.links import View
from pru_demo.store import Store
from tests.figures.measured import measures_with
from tests.figures.records import record_with
from tests.pages.conftest import UseStore
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import buttons, figures, go, new_session, problems, texts

VIEW = View(Scenario(forget=(3,)), Pick("pru", "paper"), Pick("boundary_shrink", "paper"))
A, B = VIEW.runs().values()
RETRAIN, ORIGINAL, DELETE = (
    RunConfig(VIEW.scenario, Pick(method, "paper")) for method in ("retrain", "original", "delete")
)
EVERYTHING = (A, B, RETRAIN, ORIGINAL)

Keep = Callable[..., None]


@pytest.fixture
def store(tmp_path: Any, use_store: UseStore) -> Store:
    """Nothing is shipped, whatever is."""
    store = Store(tmp_path / "store")
    use_store(store)
    return store


@pytest.fixture
def keep(store: Store) -> Keep:
    """Put runs, and their measures if there are any, into the store."""

    def put(*runs: RunConfig, measured: bool = True, **measures: Any) -> None:
        for run in runs:
            record = record_with([9.0, 54.0], run.pick.method, VIEW.scenario, control=54.0)
            entry = replace(record, config=run).to_entry()
            store.put(run_key(run), entry.meta, entry.arrays)
            store.put(weights_key(run), {}, {})
            if measured:
                store.put(inside_key(run), measures_with(**measures), {})

    return put


def visit(view: View = VIEW) -> AppTest:
    return go(new_session(view), "inside")


def lines(app: AppTest, figure: int = 0) -> list[str]:
    return [trace["name"] for trace in figures(app)[figure]["data"]]


def heights(app: AppTest, figure: int) -> list[float]:
    """Of the line on top."""
    y = figures(app)[figure]["data"][-1]["y"]
    values: list[float] = np.frombuffer(base64.b64decode(y["bdata"]), y["dtype"]).tolist()
    return values


def findings(app: AppTest) -> list[str]:
    """The sentences between the title and the first figure."""
    values = [element.value for element in app.main.markdown]
    return [value for value in values if value.startswith("**")][:2]


def press(app: AppTest) -> AppTest:
    (button,) = buttons(app, "measure")
    return button.click().run()


def test_what_is_measured_is_shown_at_once(engine: FakeEngine, keep: Keep) -> None:
    keep(*EVERYTHING)
    app = visit()
    assert problems(app) == []
    assert len(figures(app)) == 6
    assert buttons(app, "measure") == []
    assert engine.submitted == []


def test_the_finding_stands_above_the_first_figure(keep: Keep) -> None:
    keep(*EVERYTHING, relative=[*[0.01] * 6, 0.14, 0.02, 0.054])
    said = findings(visit())
    assert said[0].startswith("**PRU (paper)** moved **conv 7** most: its weights by 14 %")
    assert said[1].startswith("**Boundary Shrink (paper)** moved **conv 7** most")
    assert all("50 % of what it forgot is back" in each for each in said)


def test_all_measured_methods_are_on_one_axis_and_a_is_on_top(keep: Keep) -> None:
    keep(*EVERYTHING, DELETE)
    assert lines(visit()) == ["DELETE (paper)", "Retrain", "BoundShrink (paper)", "PRU (paper)"]


def test_a_method_that_is_pointed_out_enters_the_legend(keep: Keep) -> None:
    keep(*EVERYTHING, DELETE)
    app = visit()
    assert figures(app)[0]["data"][0]["showlegend"] is False
    (pills,) = app.get("button_group")[-2:-1]
    assert [option.content for option in pills.proto.options] == ["DELETE (paper)"]
    app.pills(key="pointed_out").set_value([DELETE.pick]).run()
    assert problems(app) == []
    assert figures(app)[0]["data"][0]["showlegend"] is True


def test_likeness_is_shown_on_the_images_that_were_asked_for(keep: Keep) -> None:
    keep(*EVERYTHING, cka=[0.5] * 10)
    app = visit()
    assert set(heights(app, 3)) == {0.5}
    app.segmented_control(key="measured_on").set_value("All shown images").run()
    assert set(heights(app, 3)) == {0.55}


def test_terms_are_explained_where_they_stand(keep: Keep) -> None:
    keep(*EVERYTHING)
    said = texts(visit())
    terms = ["Δ", "none", "Retrain", "BatchNorm", "σ", "CKA", "Membership inference"]
    assert [term for term in terms if f"**{term}**" not in said] == []


def test_without_measures_the_page_says_what_the_record_knows_and_offers_to_measure(
    engine: FakeEngine, keep: Keep
) -> None:
    keep(*EVERYTHING, measured=False)
    app = visit()
    assert problems(app) == []
    assert "50 % of what it forgot is back" in texts(app)
    assert figures(app) == []
    (button,) = buttons(app, "measure")
    assert button.label == ("Measure PRU (paper), Boundary Shrink (paper), Retrain and Original")
    assert engine.submitted == []


def test_what_others_have_measured_is_shown_meanwhile(keep: Keep) -> None:
    keep(RETRAIN, ORIGINAL, DELETE)
    keep(A, B, measured=False)
    app = visit()
    assert lines(app) == ["DELETE (paper)", "Retrain"]
    assert problems(app) == []
    (button,) = buttons(app, "measure")
    assert button.label == "Measure PRU (paper) and Boundary Shrink (paper)"


def test_pressing_measure_submits_one_job_for_each_run(engine: FakeEngine, keep: Keep) -> None:
    keep(A, B, measured=False)
    app = press(visit())
    assert [(job.task, job.key) for job in engine.submitted] == [
        (INSIDE, inside_key(run)) for run in (A, B)
    ]
    assert [job.arguments["config"] for job in engine.submitted] == [A.content(), B.content()]
    assert buttons(app, "measure") == []
    assert {*engine.submitted[0].watched_by} == {*engine.submitted[1].watched_by} != set()


def test_no_more_is_asked_for_than_a_visitor_may_have_waiting(
    engine: FakeEngine, keep: Keep
) -> None:
    variants = ("released", "no_lp", "cross_entropy", "no_lo", "no_ls")
    keep(A, B)
    keep(RETRAIN, ORIGINAL, DELETE, measured=False)
    keep(*(RunConfig(VIEW.scenario, Pick("pru", v)) for v in variants), measured=False)
    press(visit())
    assert len(engine.submitted) == 6
    references = [inside_key(run) for run in (RETRAIN, ORIGINAL)]
    assert [job.key for job in engine.submitted[:2]] == references


def test_a_and_b_are_not_kept_waiting_for_others(engine: FakeEngine, keep: Keep) -> None:
    keep(A, B, RETRAIN, DELETE, measured=False)
    press(visit())
    assert [job.key for job in engine.submitted] == [inside_key(r) for r in (A, B, RETRAIN)]


def test_progress_says_what_is_being_measured(engine: FakeEngine, keep: Keep) -> None:
    keep(A, B, measured=False)
    app = press(visit())
    first, second = engine.submitted
    first.run(started=1.0)
    second.waiting = 3
    app.run()
    assert "**PRU (paper)**: starting a worker" in texts(app)
    assert "**Boundary Shrink (paper)**: waiting, number 3 in the queue" in texts(app)
    first.say(2.0, message="Comparing its layers", share=0.1)
    app.run()
    assert "**PRU (paper)**: Comparing its layers" in texts(app)
    (bar, _) = app.get("progress")
    assert bar.proto.value == 10


def test_a_finished_measurement_is_shown_while_the_next_one_runs(
    engine: FakeEngine, keep: Keep
) -> None:
    keep(A, B, measured=False)
    app = press(visit())
    keep(A)
    engine.submitted[0].end("done")
    engine.submitted[1].run(started=1.0)
    app.run()
    assert lines(app) == ["PRU (paper)"]
    assert "**Boundary Shrink (paper)**: starting a worker" in texts(app)
    assert problems(app) == []


def test_a_failed_measurement_is_a_sentence_and_may_be_tried_again(
    engine: FakeEngine, keep: Keep
) -> None:
    keep(A, B, measured=False)
    app = press(visit())
    engine.submitted[0].fail("Losses that are no numbers tell nothing.", "ab12cd34")
    engine.submitted[1].stop()
    app.run()
    assert [error.value for error in app.error] == [
        "PRU (paper) could not be measured. Losses that are no numbers tell nothing. "
        "Reference ab12cd34."
    ]
    assert "Measuring Boundary Shrink (paper) was stopped" in texts(app)
    press(app)
    assert len(engine.submitted) == 4


def test_a_full_queue_says_when_to_try_again(engine: FakeEngine, keep: Keep) -> None:
    keep(A, B, measured=False)
    app = visit()
    engine.refuses = "The queue is full; try again in about 3 minutes."
    assert [error.value for error in press(app).error] == [engine.refuses]
    assert len(app.exception) == 0


def test_what_was_measured_before_retrain_came_is_measured_again(
    engine: FakeEngine, keep: Keep
) -> None:
    keep(A, B, to_retrained=None)
    app = visit()
    assert buttons(app, "measure") == []
    assert "Retrain has not been run or measured" in texts(app)
    keep(RETRAIN)
    app = visit()
    (button,) = buttons(app, "measure")
    assert button.label == "Measure PRU (paper) and Boundary Shrink (paper)"
    assert problems(app) == []
    press(app)
    assert [job.key for job in engine.submitted] == [inside_key(A), inside_key(B)]


def test_other_stored_runs_are_offered_below_what_is_shown(keep: Keep) -> None:
    keep(*EVERYTHING)
    keep(DELETE, measured=False)
    app = visit()
    (button,) = buttons(app, "measure")
    assert button.label == "Measure DELETE (paper)"
    assert app.info == []
    assert len(figures(app)) == 6


def test_runs_of_other_scenarios_are_not_mixed_in(keep: Keep) -> None:
    keep(*EVERYTHING)
    keep(replace(DELETE, scenario=replace(VIEW.scenario, seed=8)))
    assert "DELETE" not in texts(visit())
    assert "DELETE (paper)" not in lines(visit())


@pytest.mark.parametrize("method", ["retrain", "original"])
def test_a_yardstick_may_be_looked_at_like_a_method(keep: Keep, method: str) -> None:
    keep(*EVERYTHING)
    app = visit(replace(VIEW, a=Pick(method, "paper")))
    assert problems(app) == []
    assert len(figures(app)) == 6
    assert findings(app)[0].startswith(f"**{method.capitalize()}**")


def test_a_network_without_batch_norm_says_so(store: Store, keep: Keep) -> None:
    keep(*EVERYTHING)
    for run in EVERYTHING:
        measures = store.meta(inside_key(run))
        assert measures is not None
        measures["layers"]["batch_norm"] = []
        store.put(inside_key(run), measures, {})
    app = visit()
    assert problems(app) == []
    assert "This network has no BatchNorm" in texts(app)
    assert len(figures(app)) == 4


def test_the_mix_of_the_shown_images_is_that_of_the_record(store: Store, keep: Keep) -> None:
    keep(*EVERYTHING)
    labels = np.repeat(np.arange(5, dtype=np.uint8), [200, 200, 200, 300, 300])
    for run in (A, B):
        entry = replace(record_with([9.0, 54.0], scenario=VIEW.scenario), config=run).to_entry()
        store.put(run_key(run), entry.meta, {"labels": labels})
    said = texts(visit())
    assert "**All shown images** are the 1,200 test images" in said
    assert "the 300 of them (25 %) that are 3s" in said
    assert "leave the others alone" not in said


def test_what_is_not_measured_is_a_whole_sentence(keep: Keep) -> None:
    keep(RETRAIN, B, measured=False)
    assert findings(visit(replace(VIEW, a=RETRAIN.pick)))[0] == (
        "**Retrain** has not been measured yet."
    )


def test_leaving_does_not_stop_a_measurement_at_once(keep: Keep) -> None:
    keep(A, B, measured=False)
    said = texts(visit())
    assert "It goes on if you leave this page; what is not done 15 minutes later is stopped" in said


def test_what_could_not_be_attacked_does_not_keep_the_rest_from_being_shown(keep: Keep) -> None:
    keep(*EVERYTHING, no_attack="it takes 5 images of each kind, and there are only 2 of one")
    app = visit()
    assert problems(app) == []
    assert len(figures(app)) == 5
    assert buttons(app, "measure") == []
    assert "and there are only 2 of one." in texts(app)


def test_a_network_that_broke_is_said_to_have(store: Store, keep: Keep) -> None:
    keep(B, RETRAIN, ORIGINAL)
    nothing: dict[str, Any] = {"relative": [None] * 9, "mean": [None] * 8, "cka": [None] * 10}
    keep(A, **nothing, to_retrained=[None] * 10, no_attack="its losses are no numbers")
    record = replace(
        record_with([0.0], scenario=VIEW.scenario, control=None),
        config=A,
        failure="its outputs are no longer numbers",
    )
    entry = record.to_entry()
    store.put(run_key(A), entry.meta, entry.arrays)
    app = visit()
    assert problems(app) == []
    assert buttons(app, "measure") == []
    assert "**PRU (paper)** broke the network: its outputs are no longer numbers." in texts(app)
    assert "Not computed for **PRU (paper)**: its losses are no numbers." in texts(app)
    assert len(figures(app)) == 6


def test_which_layer_still_knows_is_a_figure_of_its_own(engine: FakeEngine, keep: Keep) -> None:
    keep(*EVERYTHING, known=[0.7, *[0.9] * 6, 0.99, 0.99, 0.95])
    app = visit()
    assert problems(app) == []
    assert len(figures(app)) == 7
    assert (
        "3s are found most easily after **conv 8** (AUC 0.9900; there Original 0.9900 and"
        in texts(app)
    )
    assert buttons(app, "again") == []


def test_runs_that_were_measured_before_layers_were_attacked_are_offered_again(
    store: Store, engine: FakeEngine, keep: Keep
) -> None:
    keep(*EVERYTHING)
    keep(B, known=[0.7, *[0.9] * 6, 0.99, 0.99, 0.95])
    app = visit()
    assert len(figures(app)) == 7, "nothing of what there is gets lost"
    (button,) = buttons(app, "again")
    assert button.label == "Measure PRU (paper), Retrain and Original"
    button.click().run()
    assert [job.key for job in engine.submitted] == [inside_key(r) for r in (A, RETRAIN, ORIGINAL)]
    assert "**PRU (paper)**: waiting" in texts(app)
    keep(A, known=[0.7, *[0.9] * 6, 0.99, 0.99, 0.95])
    for job in engine.submitted:
        job.end("done")
    assert "PRU" not in buttons(app.run(), "again")[0].label
