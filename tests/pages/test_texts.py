"""What a page says belongs to what it shows."""

import numpy as np
import pytest

from pru_demo.config import RunConfig
from pru_demo.runs.maps import LEAST_MOVEMENT, LEAST_TRUST, PlacedRun, placed_key
from pru_demo.runs.record import features_key
from pru_demo.runs.store import Store
from pru_demo.ui.pictures import CLASSIC, PICTURES
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import BUNDLED, NOT_BUNDLED, SHIPPED, go, new_session, problems, texts

pytestmark = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)


@pytest.mark.parametrize("picture", PICTURES)
def test_the_trust_in_a_map_is_stated_with_every_map(
    store: Store, engine: FakeEngine, picture: str
) -> None:
    app = go(new_session(SHIPPED), "perception")
    app.segmented_control(key="picture").set_value(picture).run()
    assert problems(app) == []
    assert ("trustworthiness" in texts(app)) == (picture != CLASSIC)
    assert ("colour by **distance moved**" in texts(app)) == (picture != CLASSIC)
    assert engine.submitted == []


def make_doubtful(store: Store, run: RunConfig, **changes: object) -> None:
    entry = store.get(placed_key(run, "time"))
    assert entry is not None
    poor = {"trustworthiness_mean": LEAST_TRUST - 0.1, "movement_correlation": LEAST_MOVEMENT - 0.1}
    fidelity = {**PlacedRun.from_entry(entry).fidelity, **poor}
    store.put(
        placed_key(run, "time"), {**entry.meta, "fidelity": fidelity, **changes}, entry.arrays
    )


def test_a_map_that_is_not_to_be_read_says_so_with_its_numbers(
    store: Store, engine: FakeEngine
) -> None:
    make_doubtful(store, SHIPPED.runs()["A"])
    app = go(new_session(SHIPPED), "perception")
    (warning,) = (w.value for w in app.warning)
    assert "Do not read neighbourhoods and movement of **PRU (tuned)**" in warning
    assert "0.80" in warning
    assert "0.50" in warning


def test_a_doubtful_map_is_fitted_anew_only_if_other_runs_bent_it(
    store: Store, engine: FakeEngine
) -> None:
    runs = list(SHIPPED.runs().values())
    for run in runs:
        make_doubtful(store, run)
        store.put(features_key(run), {}, {"features": np.zeros((1, 2, 2), np.float16)})
    app = go(new_session(SHIPPED), "perception")
    assert [b.label for b in app.button].count("Fit the map anew, to these runs only") == 1
    for run in runs:
        make_doubtful(store, run, fitted_on=[str(run.pick) for run in runs])
    app.run()
    assert "Fit the map anew, to these runs only" not in [b.label for b in app.button]


def test_perception_sets_what_is_said_against_what_is_found(
    store: Store, engine: FakeEngine
) -> None:
    app = go(new_session(SHIPPED), "perception")
    for name in ("PRU (tuned)", "Boundary Shrink (tuned)"):
        assert f"**{name}** calls" in texts(app)
    assert texts(app).count("a new linear classifier on the same features finds") == 2
    assert "Original, PRU (paper), PRU (released), PRU (tuned)." in texts(app)
    table = app.dataframe[0].value
    assert {"PRU (tuned)", "PRU (paper)", "Retrain", "Original"} <= set(table["run"])
    assert set(table["moment"]) == {"Unlearned", "Relearned"}


@pytest.mark.parametrize("moment", ["Unlearned", "BatchNorm refreshed", "Relearned 10", "Original"])
def test_belief_and_distance_can_be_asked_of_every_moment(
    store: Store, engine: FakeEngine, moment: str
) -> None:
    app = go(new_session(SHIPPED), "perception")
    app.segmented_control(key="moment").set_value(moment).run()
    assert problems(app) == []


@pytest.mark.parametrize(
    ("page", "terms"),
    [
        ("start", ["Retrain", "Original", "BatchNorm-only control"]),
        ("forget", ["L_p", "E step", "C step", "D_f", "D_r_new", "Forward passes"]),
        ("perception", ["nDist", "p_f", "BatchNorm-only control", "recognised", "probe"]),
        ("redistribution", ["S", "S_re", "D_KL"]),
    ],
)
def test_terms_of_the_paper_are_explained_where_they_stand(
    store: Store, engine: FakeEngine, page: str, terms: list[str]
) -> None:
    app = go(new_session(SHIPPED), page)
    assert [term for term in terms if f"**{term}**" not in texts(app)] == []
