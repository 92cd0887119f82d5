"""Controls stand beside every comparison as soon as there are any, explained and never chosen."""

from dataclasses import replace
from typing import Any

import pytest

from pru_demo.config import Pick, RunConfig
from pru_demo.experiment.keys import perceived_key, run_key, weights_key
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.naming import is_yardstick, short_name
from pru_demo.store import Store
from pru_demo.ui.shared.comparison import CONTROLS
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import (
    BUNDLED,
    MISSING,
    NOT_BUNDLED,
    SHIPPED,
    drawing,
    figures,
    go,
    new_session,
    problems,
    texts,
)

pytestmark = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)

MASK = Pick("mask", "default")
MOUTH = (
    "A network whose mouth is merely covered (Mask) scores 0 % here and sees the class as it "
    "always did: A_f through relearning cannot tell hiding from forgetting."
)


@pytest.fixture
def controls(store: Store) -> None:
    """Records of both, which are PRU's by another name."""
    there = RunConfig(SHIPPED.scenario, Pick("pru", "tuned"))
    for pick in CONTROLS:
        here = replace(there, pick=pick)
        found = store.get(run_key(there))
        assert found is not None
        entry = replace(RunRecord.from_entry(found), config=here).to_entry()
        store.put(run_key(here), entry.meta, entry.arrays)
        for make in (perceived_key, weights_key):
            kept = store.get(make(there))
            assert kept is not None
            store.put(make(here), kept.meta, kept.arrays)


def hidden(app: Any) -> set[str]:
    """Which controls have a curve that no legend names."""
    traces = [trace for figure in figures(app) for trace in figure["data"]]
    unnamed = {trace.get("name") for trace in traces if trace.get("showlegend") is False}
    return unnamed & {short_name(pick) for pick in CONTROLS}


@pytest.mark.usefixtures("controls")
@pytest.mark.parametrize("page", ["start", "relearning"])
def test_they_are_drawn_and_said_what_they_are(page: str) -> None:
    app = go(new_session(SHIPPED), page)
    assert problems(app) == []
    assert hidden(app) == {"Mask (control)", "Head only (control)"}
    assert "**Mask (control)** covers the forgotten class in the last layer" in texts(app)
    assert "**Head only (control)** trains the last layer alone" in texts(app)
    assert texts(app).count(MOUTH) == 1


@pytest.mark.usefixtures("controls")
def test_other_pages_set_them_beside_the_methods() -> None:
    app = new_session(SHIPPED)
    app.session_state["pad"] = drawing()
    for page, said in (
        ("forget", ""),
        ("perception", "**Mask (control)** calls 0 % of the 9s by their name"),
        ("redistribution", "Mask (control) **0.38** nats and Head only (control) **0.38** nats"),
        ("try_it", "Mask (control): **"),
        ("runs", MOUTH),
    ):
        go(app, page)
        assert problems(app) == [], page
        assert said in texts(app), page
    methods = [list(frame.value.get("method", [])) for frame in go(app, "forget").dataframe]
    assert any({"Mask (control)", "Head only (control)"} <= {*names} for names in methods)


@pytest.mark.usefixtures("controls")
def test_a_control_that_is_chosen_is_drawn_like_a_method() -> None:
    app = go(new_session(replace(SHIPPED, a=MASK)), "relearning")
    assert problems(app) == []
    assert hidden(app) == {"Head only (control)"}
    assert texts(app).count(MOUTH) == 1


@pytest.fixture
def a_and_b_alone(store: Store) -> None:
    """A scenario in which two methods were run and no yardstick."""
    for run in MISSING.runs().values():
        shipped = store.get(run_key(RunConfig(SHIPPED.scenario, run.pick)))
        assert shipped is not None
        entry = replace(RunRecord.from_entry(shipped), config=run).to_entry()
        store.put(run_key(run), entry.meta, entry.arrays)


@pytest.mark.usefixtures("a_and_b_alone")
def test_without_their_records_nothing_is_said_of_them() -> None:
    for page in ("start", "relearning", "redistribution"):
        app = go(new_session(MISSING), page)
        assert problems(app) == [], page
        assert "control)" not in texts(app), page
        assert "mouth" not in texts(app), page


@pytest.mark.usefixtures("a_and_b_alone")
def test_missing_ones_are_offered_beside_the_references(engine: FakeEngine) -> None:
    app = go(new_session(MISSING), "forget")
    app.button(key="run.retrain-paper.original-paper.mask-default.head_only-default").click().run()
    asked = [job.arguments["config"]["method"] for job in engine.submitted]
    assert asked == ["retrain", "original", "mask", "head_only"]


def test_they_stand_at_the_end_of_the_choices() -> None:
    app = new_session(SHIPPED)
    options = app.selectbox(key="bar.a").options
    assert options[-2:] == ["Mask (control)", "Head only (control)"]
    assert not is_yardstick(SHIPPED.a) and not is_yardstick(SHIPPED.b)
