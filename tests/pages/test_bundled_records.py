"""Who follows a link to a shipped comparison sees results at once, on every page."""

from itertools import groupby

import pytest

from pru_demo.cli.precompute import BUNDLED as SCENARIOS
from pru_demo.cli.precompute import shipped_runs
from pru_demo.config import RunConfig, Scenario
from pru_demo.experiment.keys import (
    attack_key,
    classic_key,
    inside_key,
    map_key,
    perceived_key,
    placed_key,
    run_key,
    usual,
    weights_key,
)
from pru_demo.experiment.maps import KINDS
from pru_demo.figures.naming import pick_name
from pru_demo.links import View
from pru_demo.store import Store
from pru_demo.ui.shared.pages import PAGES
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import (
    BUNDLED,
    NOT_BUNDLED,
    SCENARIO_PAGES,
    SHIPPED,
    bundled_runs,
    drawing,
    go,
    new_session,
    pictures,
    problems,
    texts,
)

pytestmark = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)


def pairs() -> list[View]:
    """Every bundled run once, beside its neighbour in the list; what is A in one preset is B in the
    next."""
    views = []
    for first, (scenario, group) in enumerate(groupby(bundled_runs(), lambda run: run.scenario)):
        picks = [run.pick for run in group]
        picks = picks[first:] + picks[:first]
        # Of an odd number the last one has the first beside it.
        others = picks[1::2] + picks[: len(picks) % 2]
        views += [View(scenario, a, b) for a, b in zip(picks[::2], others, strict=True)]
    return views


def name_of(view: View) -> str:
    picks = (f"{p.method}-{p.variant}" for p in (view.a, view.b))
    return "-".join([view.scenario.preset, *picks])


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.preset)
def test_every_method_in_every_variant_is_shipped_whole(store: Store, scenario: Scenario) -> None:
    runs = shipped_runs(scenario)
    makers = (run_key, weights_key, perceived_key, inside_key, classic_key)
    keys = [(run.pick, make(run)) for make in makers for run in runs]
    for make in (map_key, placed_key):
        keys += [(run.pick, make(run, kind)) for run in runs for kind in KINDS]
    keys += [(run.pick, attack_key(run, attack)) for run in runs for attack in usual(run)]
    # A key says what of a run it is.
    assert [(str(pick), key) for pick, key in keys if store.get(key) is None] == []
    assert store.damaged() == []


def test_every_shipped_run_is_looked_at() -> None:
    shown = [run for view in pairs() for run in view.runs().values()]
    assert sorted(map(str, shown)) == sorted(map(str, bundled_runs()))
    assert {view.a for view in pairs()} == {view.b for view in pairs()}


def test_the_view_of_the_bare_address_is_shipped() -> None:
    assert {*SHIPPED.runs().values()} <= {*bundled_runs()}


@pytest.mark.parametrize("view", pairs(), ids=name_of)
def test_every_page_shows_both_runs_and_a_picture(engine: FakeEngine, view: View) -> None:
    app = new_session(view)
    app.session_state["pad"] = drawing()
    for page in SCENARIO_PAGES:
        go(app, page.name)
        assert problems(app) == [], page.name
        assert len(app.title) == 1, page.name
        assert "Not computed for this choice" not in texts(app), page.name
        names = [pick_name(pick) for pick in (view.a, view.b)]
        assert [name for name in names if name not in texts(app)] == [], page.name
        assert pictures(app) >= 1, page.name
        assert [t.value for t in app.toast] == [], page.name
        assert dict(app.query_params).items() >= view.query().items(), page.name
    assert engine.submitted == []


@pytest.mark.parametrize("run", bundled_runs()[:1] + bundled_runs()[-1:], ids=lambda r: str(r.pick))
def test_a_method_beside_itself_is_shown_once(run: RunConfig) -> None:
    app = new_session(View(run.scenario, run.pick, run.pick))
    for page in PAGES:
        go(app, page.name)
        assert problems(app) == [], page.name
        assert len(app.title) == 1, page.name
    go(app, "relearning")
    assert texts(app).count(" by epoch 10") + texts(app).count("nothing can come back") == 1
