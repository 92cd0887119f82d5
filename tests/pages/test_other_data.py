"""Pages of a data set of colour pictures with long names: no digit is spoken of, none is drawn."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from pru_demo import data
from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.data import DATASETS
from pru_demo.experiment.keys import (
    inside_key,
    map_key,
    perceived_key,
    placed_key,
    run_key,
    weights_key,
)
from pru_demo.experiment.record import RunRecord
from pru_demo.links import View
from pru_demo.store import Store
from pru_demo.ui.shared.comparison import CONTROLS, REFERENCES
from tests.pages.visits import (
    BUNDLED,
    NOT_BUNDLED,
    SCENARIO_PAGES,
    SHIPPED,
    go,
    new_session,
    problems,
    texts,
)

pytestmark = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)

PICKS = (Pick("pru", "paper"), Pick("boundary_shrink", "paper"))
PICTURES = View(Scenario(dataset="cifar10", model="allcnn", forget=(9,)), *PICKS)

MAPS = (partial(map_key, kind="time"), partial(placed_key, kind="time"))


@pytest.fixture
def pictures_of_trucks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of CIFAR-10 that are those of MNIST by another name, and noise for pictures."""
    labels = np.arange(10_000, dtype=np.uint8) % 10
    noise = np.random.default_rng(0).integers(0, 255, (10_000, 3, 32, 32), np.uint8)
    spec = replace(DATASETS["cifar10"], read=lambda part: (noise, labels))
    monkeypatch.setitem(DATASETS, "cifar10", spec)
    data._read_part.cache_clear()
    # What a control's networks look like does not matter here.
    shipped_as = {pick: pick for pick in (*PICKS, *REFERENCES)} | dict.fromkeys(CONTROLS, PICKS[0])
    for pick, known in shipped_as.items():
        here, there = RunConfig(SHIPPED.scenario, known), RunConfig(PICTURES.scenario, pick)
        found = store.get(run_key(here))
        assert found is not None
        entry = replace(RunRecord.from_entry(found), config=there).to_entry()
        store.put(run_key(there), entry.meta, entry.arrays)
        for make in (perceived_key, inside_key, *MAPS):
            shipped = store.get(make(here))
            assert shipped is not None
            store.put(make(there), shipped.meta, shipped.arrays)
        # The networks of MNIST would not take pictures in colour: there are none.
        assert store.get(weights_key(there)) is None


@pytest.mark.usefixtures("pictures_of_trucks")
def test_no_page_speaks_of_digits() -> None:
    app = new_session(PICTURES)
    for page in SCENARIO_PAGES:
        go(app, page.name, PICTURES)
        assert problems(app) == [], page.name
        assert len(app.title) == 1, page.name
        assert "Not computed" not in texts(app), page.name
        assert "digit" not in texts(app).lower(), page.name
        assert "trucks" not in texts(app), page.name
        assert "truck" in texts(app), page.name
    assert app.segmented_control(key="way.undrawn").options == ["Upload", "Pick"]


@pytest.mark.parametrize(("name", "here"), [("cifar10", True), ("fashion-mnist", False)])
def test_without_records_every_page_offers_to_run_what_can_be_run(
    monkeypatch: pytest.MonkeyPatch, name: str, here: bool
) -> None:
    monkeypatch.setattr("pru_demo.ui.shared.comparison.available", lambda _: here)
    view = replace(PICTURES, scenario=replace(PICTURES.scenario, dataset=name))
    app = new_session(view)
    for page in SCENARIO_PAGES:
        go(app, page.name, view)
        assert ("Not computed for this choice" in texts(app)) == here, page.name
        warnings = [warning.value for warning in app.warning]
        command = f"python -m pru_demo data fetch {name}"
        assert any(command in each for each in warnings) == (not here), page.name
        assert any(button.label.startswith("Run ") for button in app.button) == here, page.name
