"""Pages of a network without BatchNorm conclude nothing about BatchNorm."""

from dataclasses import replace
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from pru_demo.config import Pick, RunConfig
from pru_demo.experiment.keys import inside_key, map_key, perceived_key, placed_key, run_key
from pru_demo.experiment.perceived import Perceived
from pru_demo.experiment.record import RunRecord
from pru_demo.links import View
from pru_demo.store import Store
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import (
    BUNDLED,
    NOT_BUNDLED,
    SCENARIO_PAGES,
    SHIPPED,
    figures,
    go,
    new_session,
    problems,
    texts,
)

pytestmark = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)

PICKS = (Pick("pru", "paper"), Pick("boundary_shrink", "paper"))
VIEW = View(replace(SHIPPED.scenario, model="vit-small"), *PICKS)


@pytest.fixture
def app(store: Store, engine: FakeEngine) -> AppTest:
    """The shipped records by another network's name, their controls left out but for the number
    that older runs have."""
    for pick in (*PICKS, Pick("retrain", "paper"), Pick("original", "paper")):
        here, there = RunConfig(SHIPPED.scenario, pick), RunConfig(VIEW.scenario, pick)
        found, perceived = store.get(run_key(here)), store.get(perceived_key(here))
        measures = store.meta(inside_key(here))
        assert found is not None and perceived is not None and measures is not None
        record = replace(RunRecord.from_entry(found), config=there)
        assert record.batch_norm_only is not None
        kept = {k: v for k, v in record.arrays.items() if not k.startswith("control")}
        store.put(run_key(there), record.to_entry().meta, kept)
        seen = replace(Perceived.from_entry(perceived), control=None, control_n_dist=None)
        store.put(perceived_key(there), seen.to_entry().meta, seen.to_entry().arrays)
        measures["layers"]["batch_norm"] = []
        store.put(inside_key(there), measures, {})
        for make in (partial(map_key, kind="time"), partial(placed_key, kind="time")):
            shipped = store.get(make(here))
            assert shipped is not None
            store.put(make(there), shipped.meta, shipped.arrays)
    return new_session(VIEW)


def test_every_page_does_without_a_control(app: AppTest) -> None:
    for page in SCENARIO_PAGES:
        go(app, page.name, VIEW)
        assert problems(app) == [], page.name
        assert "BatchNorm statistics alone" not in texts(app), page.name
        assert "BatchNorm's statistics refreshed" not in texts(app), page.name


@pytest.mark.parametrize("page", ["start", "relearning"])
def test_what_is_not_there_is_not_explained(app: AppTest, page: str) -> None:
    go(app, page)
    assert "Open circles" not in texts(app)
    assert "**BatchNorm-only control**" not in texts(app)
    names = [trace.get("name") for figure in figures(app) for trace in figure["data"]]
    assert "Retrain" in names
    assert "BatchNorm-only control" not in names
    assert ("has no BatchNorm" in texts(app)) == (page == "relearning")
