"""What a page says belongs to what it shows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pru_demo.config import Pick, RunConfig
from pru_demo.experiment.keys import features_key, perceived_key, placed_key, run_key
from pru_demo.experiment.maps import LEAST_MOVEMENT, LEAST_TRUST, PlacedRun
from pru_demo.experiment.record import RunRecord
from pru_demo.store import Store
from pru_demo.ui.perception.map_section import CLASSIC, MAPS
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import BUNDLED, NOT_BUNDLED, SHIPPED, go, new_session, problems, texts

pytestmark = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)


def test_the_trust_in_a_map_is_stated_with_every_map(engine: FakeEngine) -> None:
    app = go(new_session(SHIPPED), "perception")
    for picture in (*MAPS, CLASSIC):
        app.segmented_control(key="picture").set_value(picture).run()
        assert problems(app) == [], picture
        what = MAPS[picture][1] if picture in MAPS else ""
        assert what.startswith(f"**{picture}** ") or picture == CLASSIC
        assert what in texts(app)
        assert ("trustworthiness" in texts(app)) == (picture != CLASSIC), picture
        assert ("colour by **distance moved**" in texts(app)) == (picture != CLASSIC), picture
    assert engine.submitted == []


def make_doubtful(store: Store, run: RunConfig, **changes: object) -> None:
    entry = store.get(placed_key(run, "time"))
    assert entry is not None
    poor = {"trustworthiness_mean": LEAST_TRUST - 0.1, "movement_correlation": LEAST_MOVEMENT - 0.1}
    fidelity = {**PlacedRun.from_entry(entry).fidelity, **poor}
    store.put(
        placed_key(run, "time"), {**entry.meta, "fidelity": fidelity, **changes}, entry.arrays
    )


def test_a_map_that_is_not_to_be_read_says_so_with_its_numbers(store: Store) -> None:
    make_doubtful(store, SHIPPED.runs()["A"])
    app = go(new_session(SHIPPED), "perception")
    (warning,) = (w.value for w in app.warning)
    assert "Do not read neighbourhoods and movement of **PRU (rehearsed)**" in warning
    assert "0.80" in warning
    assert "0.50" in warning


def fit_buttons(app: AppTest) -> list[Any]:
    return [b for b in app.button if b.label == "Fit the map anew, to all runs"]


def test_a_doubtful_map_is_fitted_anew_where_nothing_is_lost_and_something_changes(
    store: Store, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pru_demo.ui.perception import drawing_maps
    from pru_demo.ui.shared.records import perceived_runs

    chosen = perceived_runs(SHIPPED.runs().values())
    runs = list(SHIPPED.runs().values())
    for run in runs:
        make_doubtful(store, run)
        store.put(features_key(run), {}, {"features": np.zeros((1, 2, 2), np.float16)})
    app = go(new_session(SHIPPED), "perception")
    # A new map would lose the shipped runs, whose features do not ship.
    assert fit_buttons(app) == []
    monkeypatch.setattr(drawing_maps, "perceived_runs", lambda _: chosen)
    (button,) = fit_buttons(app.run())
    button.click().run()
    (job,) = engine.submitted
    assert job.arguments["again"] is True
    assert fit_buttons(app) == []
    job.run(started=0.0).say(0.0, message="Fitting the map", share=0.25)
    app.run()
    assert "Fitting the map …" in texts(app)
    job.fail("The map failed.", "ab12cd34")
    assert len(fit_buttons(app.run())) == 1
    assert "The map failed." in next(e.value for e in app.error)
    for run in runs:
        make_doubtful(store, run, fitted_on=[str(run.pick) for run in runs])
    assert fit_buttons(app.run()) == []


def test_perception_sets_what_is_said_against_what_is_found() -> None:
    app = go(new_session(SHIPPED), "perception")
    # The mask calls nothing a 9 either, and its features are the original's.
    for name in ("PRU (rehearsed)", "Boundary Shrink (tuned)", "Mask (control)"):
        assert f"**{name}** calls" in texts(app)
    assert texts(app).count("a new linear classifier on the same features finds") == 3
    assert "Original, PRU (paper), PRU (released), PRU (tuned)." in texts(app)
    table = app.dataframe[0].value
    assert {"PRU (rehearsed)", "PRU (paper)", "Retrain", "Original"} <= set(table["run"])
    assert set(table["moment"]) == {"Unlearned", "Relearned"}


def test_belief_and_distance_can_be_asked_of_every_moment() -> None:
    app = go(new_session(SHIPPED), "perception")
    moments = ["BatchNorm refreshed", "Relearned 10", "Original", "Unlearned"]
    assert {*moments} <= {*app.segmented_control(key="moment").options}
    for moment in moments:
        app.segmented_control(key="moment").set_value(moment).run()
        assert problems(app) == [], moment


@pytest.mark.parametrize("page", ["start", "forget"])
def test_rehearsal_is_explained_where_a_run_rehearses(page: str) -> None:
    app = go(new_session(SHIPPED), page)
    assert texts(app).count("**Rehearsed**: beside the 9s, training sees warped") == 1
    app = go(new_session(replace(SHIPPED, a=Pick("pru", "paper"))), page)
    assert problems(app) == []
    assert "**Rehearsed**" not in texts(app)


TERMS = {
    "start": ["Retrain", "Original", "BatchNorm-only control"],
    "forget": ["L_p", "E step", "C step", "D_f", "D_r_new", "Forward passes"],
    "perception": ["nDist", "p_f", "BatchNorm-only control", "recognised", "probe"],
    "redistribution": ["S", "S_re", "D_KL"],
}


def test_terms_of_the_paper_are_explained_where_they_stand() -> None:
    app = new_session(SHIPPED)
    for page, terms in TERMS.items():
        go(app, page)
        assert [term for term in terms if f"**{term}**" not in texts(app)] == [], page


def test_a_network_that_diverged_is_named_and_its_neighbour_is_shown_all_the_same(
    store: Store, engine: FakeEngine
) -> None:
    run = SHIPPED.runs()["A"]
    entry, perceived = store.get(run_key(run)), store.get(perceived_key(run))
    assert entry is not None
    assert perceived is not None
    record = RunRecord.from_entry(entry)
    end = record.unlearned + 1
    arrays = {k: a[:end] if len(a) == len(record.snapshots) else a for k, a in entry.arrays.items()}
    arrays["p_f"] = np.where(np.arange(end)[:, None] == end - 1, np.nan, arrays["p_f"])
    failed = replace(
        record,
        snapshots=record.snapshots[:end],
        failure="its answers are not finite",
        batch_norm_only=None,
        arrays=arrays,
    ).to_entry()
    store.put(run_key(run), failed.meta, failed.arrays)
    moments = [*perceived.meta["moments"][: end - 1], dict.fromkeys(perceived.meta["moments"][0])]
    kept = {name: perceived.arrays[name][:end] for name in ("moved", "n_dist")}
    store.put(perceived_key(run), {"moments": moments, "control": None}, kept)
    app = go(new_session(SHIPPED), "perception")
    for picture in (*MAPS, CLASSIC):
        app.segmented_control(key="picture").set_value(picture).run()
        assert problems(app) == []
    assert "**PRU (rehearsed)** broke the network: its answers are not finite." in texts(app)
    assert "has no place on a map" in texts(app)
    assert "**Boundary Shrink (tuned)** calls" in texts(app)
    table = app.dataframe[0].value
    (row,) = table[table["run"] == "PRU (rehearsed)"].to_dict("records")
    assert row["moment"] == "Unlearned"
    assert np.isnan(row["recognised, %"])
    assert engine.submitted == []


def test_the_film_can_be_taken_away_while_a_guest_is_on_the_map() -> None:
    from pru_demo.ui.perception.player_film import Shown, film_file
    from pru_demo.ui.shared.records import placed_of, record_of

    run = SHIPPED.runs()["A"]
    record, place = record_of(run), placed_of(run, "time")
    assert record is not None
    assert place is not None
    still, guest = np.zeros(place.xy.shape[:2]), np.zeros((len(place.xy), 2))
    assert "<html" in film_file([Shown(record, place.xy, still, guest)])


def test_without_retrain_on_the_map_a_run_is_followed_on_the_map_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pru_demo.ui.perception import live_map

    asked: list[RunConfig] = []
    monkeypatch.setattr(live_map, "map_of", lambda config, kind: asked.append(config))
    monkeypatch.setattr(live_map, "_so_far", lambda config: object())
    retrain, pru = (RunConfig(SHIPPED.scenario, Pick(m, "paper")) for m in ("retrain", "pru"))
    live_map.follow.__wrapped__([retrain, pru])  # type: ignore[attr-defined]
    assert set(asked) == {pru}
