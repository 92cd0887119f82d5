"""A damaged file is named together with its repair, and everything else goes on."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pru_demo.config import Scenario
from pru_demo.data import _read_part, places
from pru_demo.experiment.keys import placed_key, run_key, weights_key
from pru_demo.links import View
from pru_demo.paths import ASSETS
from pru_demo.settings import PRESETS
from pru_demo.store import Store
from pru_demo.store.bundle import MANIFEST, Bundle
from pru_demo.ui.shared.images import class_chip
from pru_demo.ui.shared.pages import PAGES
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import (
    BUNDLED,
    NOT_BUNDLED,
    SCENARIO_PAGES,
    SHIPPED,
    buttons,
    drawing,
    figures,
    go,
    new_session,
    pictures,
    problems,
    texts,
)

pytestmark = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)

OwnRecords = Callable[[Callable[[Path], None]], Store]
FIRST = SHIPPED.runs()["A"]
# Beside the damaged one of the default view, so that nothing of it is needed.
OTHER = next(
    View(Scenario(preset=preset), SHIPPED.a, SHIPPED.b)
    for preset in PRESETS
    if preset != SHIPPED.scenario.preset
)


def file_of(folder: Path, key: str) -> Path:
    return folder / Bundle(folder)._manifest[key].file


def flip(path: Path, place: float = 0.9) -> None:
    """Change one byte; near the end it lies in the arrays."""
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 0xFF
    path.write_bytes(data)


def repair_named(app: Any, file: str) -> bool:
    return any(file in w.value and "python -m pru_demo precompute" in w.value for w in app.warning)


@pytest.mark.parametrize("place", [0.01, 0.9], ids=["header", "arrays"])
def test_a_damaged_record_is_named_and_may_be_run_anew(
    own_records: OwnRecords, engine: FakeEngine, place: float
) -> None:
    own_records(lambda folder: flip(file_of(folder, run_key(FIRST)), place))
    app = new_session(SHIPPED)
    for page in PAGES:
        go(app, page.name, SHIPPED)
        assert problems(app) == [], page.name
        assert repair_named(app, "pru-rehearsed.run"), page.name
        assert pictures(app) == 0, page.name
    (button,) = buttons(go(app, "forget"), "run.")
    button.click().run()
    assert [job.key for job in engine.submitted] == [run_key(FIRST)]


def test_views_that_need_no_damaged_record_show_their_figures(own_records: OwnRecords) -> None:
    own_records(lambda folder: flip(file_of(folder, run_key(FIRST))))
    app = new_session(SHIPPED)
    sound = View(SHIPPED.scenario, SHIPPED.b, SHIPPED.b)
    for page in ("start", "forget", "relearning", "redistribution", "perception"):
        go(app, page, sound)
        assert problems(app) == [], page
        assert pictures(app) >= 1, page


def test_damaged_weights_silence_one_network_and_are_named(own_records: OwnRecords) -> None:
    own_records(lambda folder: flip(file_of(folder, weights_key(FIRST))))
    app = new_session(SHIPPED)
    app.session_state["pad"] = drawing()
    go(app, "try_it")
    assert problems(app) == []
    assert repair_named(app, "pru-rehearsed.weights")
    assert "Original: **1**" in texts(app)
    assert "PRU (rehearsed): **" not in texts(app)
    assert len(figures(app)) >= 1


def test_damaged_places_are_named_on_the_page_that_needs_them(own_records: OwnRecords) -> None:
    own_records(lambda folder: flip(file_of(folder, placed_key(FIRST, "time"))))
    app = new_session(SHIPPED)
    assert len(app.warning) == 0
    go(app, "perception")
    assert problems(app) == []
    assert repair_named(app, "pru-rehearsed.time.placed")
    go(app, "relearning")
    assert pictures(app) >= 1


@pytest.mark.parametrize("text", ["", "{}", "[" * 10_000], ids=["empty", "no schema", "nested"])
def test_a_damaged_manifest_is_named_on_every_page(own_records: OwnRecords, text: str) -> None:
    own_records(lambda folder: (folder / MANIFEST).write_text(text) and None)
    app = new_session(SHIPPED)
    for page in SCENARIO_PAGES:
        go(app, page.name)
        assert problems(app) == [], page.name
        assert repair_named(app, MANIFEST), page.name
        assert len(buttons(app, "run.")) == 1, page.name


def test_a_deleted_record_is_named(own_records: OwnRecords) -> None:
    own_records(lambda folder: file_of(folder, run_key(FIRST)).unlink())
    app = new_session(SHIPPED)
    assert problems(app) == []
    assert repair_named(app, "pru-rehearsed.run")


def test_a_sound_bundle_is_not_complained_about(own_records: OwnRecords) -> None:
    own_records(lambda folder: None)
    app = new_session(SHIPPED)
    for page in PAGES:
        go(app, page.name)
        assert len(app.warning) == 0, page.name


@pytest.fixture
def damaged_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The web process finds a damaged file of test images."""
    copy = tmp_path / "assets" / "data" / "mnist"
    shutil.copytree(ASSETS / "data" / "mnist", copy)
    flip(copy / "t10k-images-idx3-ubyte.gz", 0.5)

    def forget() -> None:
        _read_part.cache_clear()
        class_chip.cache_clear()

    forget()
    monkeypatch.setattr(places, "ASSETS", tmp_path / "assets")
    yield
    forget()


def test_damaged_images_are_named_where_they_are_needed_only(damaged_mnist: None) -> None:
    app = new_session(SHIPPED)
    for page in ("start", "forget"):
        go(app, page)
        assert problems(app) == [], page
        assert pictures(app) >= 1, page
    for page in ("perception", "redistribution", "relearning"):
        go(app, page)
        (problem,) = problems(app)
        assert "t10k-images-idx3-ubyte.gz" in problem, page
        assert "git checkout -- assets/data/mnist" in problem, page
        assert len(app.title) == 1, page
    # What was drawn needs no image of the data set.
    app.session_state["pad"] = drawing()
    go(app, "try_it")
    assert problems(app) == []
    assert "Original: **1**" in texts(app)


def test_classes_can_be_chosen_without_their_images(damaged_mnist: None) -> None:
    app = new_session(SHIPPED)
    app.segmented_control(key="bar.forget").set_value(3).run()
    assert problems(app) == []
    assert app.query_params["forget"] == "3"


def test_the_longer_preset_is_not_touched_by_damage_to_the_shorter(own_records: OwnRecords) -> None:
    own_records(lambda folder: flip(file_of(folder, run_key(FIRST))))
    app = new_session(SHIPPED)
    go(app, "relearning", OTHER)
    assert pictures(app) >= 1
