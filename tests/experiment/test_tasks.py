"""Tasks as the engine calls them, on a store of their own."""

import json
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from pru_demo.config import RunConfig
from pru_demo.experiment import maps, tasks
from pru_demo.experiment import run as pipeline
from pru_demo.experiment.keys import (
    classic_key,
    everything,
    features_key,
    inside_key,
    map_key,
    measures_key,
    perceived_key,
    placed_key,
    run_key,
    weights_key,
)
from pru_demo.experiment.maps import PlacedRun
from pru_demo.experiment.record import RunRecord, RunResult
from pru_demo.experiment.tasks import (
    compute_classic,
    compute_map,
    compute_run,
    map_job_key,
)
from pru_demo.jobs.protocol import Cancelled
from pru_demo.store import Store, write_bundle
from tests.experiment.conftest import FakeContext, config_of

PRU = config_of("pru", "tuned")
SHRINK = config_of("boundary_shrink", "tuned")
RETRAIN = config_of("retrain", "quick")


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch, results: dict[str, RunResult]) -> list[RunConfig]:
    """Replaces the pipeline by results at hand; the list tells what was asked of it."""
    asked: list[RunConfig] = []

    def execute(config: RunConfig, *_: Any) -> RunResult:
        asked.append(config)
        return results[config.pick.method]

    monkeypatch.setattr(pipeline, "execute", execute)
    return asked


def test_tasks_are_found_under_their_names() -> None:
    for name in (tasks.RUN, tasks.MAP, tasks.CLASSIC, tasks.INSIDE, tasks.MEASURE):
        module, _, function = name.partition(":")
        assert module == tasks.__name__
        assert callable(getattr(tasks, function))


def test_a_computed_run_is_in_the_store_with_all_that_belongs_to_it(store: Store) -> None:
    context = FakeContext()
    key = compute_run(context, PRU.content(), owner="me")
    assert key == run_key(PRU)
    entry, weights, features = (store.get(f(PRU)) for f in (run_key, weights_key, features_key))
    assert entry is not None
    assert weights is not None
    assert features is not None
    record = RunRecord.from_entry(entry)
    assert record.config == PRU
    assert record.made_with["owner"] == "me"
    assert features.arrays["features"].shape == (7, 60, 48)
    assert {name.partition("/")[0] for name in weights.arrays} == {"0", "1"}
    told = [each for each in context.reports if "snapshot" in each]
    assert [each["done"] for each in told] == list(range(1, 8))
    assert "message" in context.reports[0]
    assert context.asked > 15


def test_a_stored_run_is_not_computed_again(store: Store, executed: list[RunConfig]) -> None:
    for _ in range(3):
        assert compute_run(FakeContext(), PRU.content()) == run_key(PRU)
    assert executed == [PRU]


def test_a_damaged_bundled_record_is_computed_again(
    store: Store,
    executed: list[RunConfig],
    tmp_path: Path,
    results: dict[str, RunResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key, entry = run_key(PRU), next(iter(results.values())).record.to_entry()
    write_bundle(tmp_path / "records", {key: entry}, {key: "pru.run"})
    file = tmp_path / "records" / "pru.run"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    above = Store(store.directory, tmp_path / "records")
    monkeypatch.setattr(tasks, "worker_store", lambda: above)
    compute_run(FakeContext(), PRU.content())
    assert executed == [PRU]
    assert above.get(key) is not None
    above.close()


def test_arguments_may_come_through_json(store: Store, executed: list[RunConfig]) -> None:
    compute_run(FakeContext(), json.loads(json.dumps(PRU.content())))
    assert executed == [PRU]


@pytest.mark.parametrize("patience", [1, 9])
def test_a_cancelled_run_stops_at_once_and_stores_no_result(store: Store, patience: int) -> None:
    context = FakeContext(patience)
    with pytest.raises(Cancelled):
        compute_run(context, PRU.content())
    assert context.asked == patience
    # How far it came may stay, so that running it again is quicker, and the map to follow it on.
    left = {key.split(":")[1] for key in store.keys()}  # noqa: SIM118
    assert left <= {"partial", "map"}


def test_the_record_is_stored_last(
    store: Store, executed: list[RunConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    put = Store.put

    def spied(self: Store, key: str, *rest: Any) -> None:
        order.append(key)
        put(self, key, *rest)

    monkeypatch.setattr(Store, "put", spied)
    compute_run(FakeContext(), PRU.content())
    assert order[-1] == run_key(PRU)
    makers = (run_key, weights_key, features_key, perceived_key)
    assert set(order) == {make(PRU) for make in makers}


@pytest.fixture(autouse=True)
def _quick_umap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "classic_umap", lambda features, *, seed: features[:, :2])


@pytest.fixture
def drawable(store: Store, executed: list[RunConfig], monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store with PRU, Boundary Shrink and Retrain in it; nothing compiles umap-learn."""
    monkeypatch.setattr(tasks, "warm_up", lambda: None)
    for run in (PRU, SHRINK, RETRAIN):
        compute_run(FakeContext(), run.content())
    return store


def test_a_map_is_drawn_from_stored_runs_and_fitted_once(
    drawable: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = []
    fit = maps.fit
    monkeypatch.setattr(maps, "fit", lambda *a: fits.append(1) or fit(*a))
    context = FakeContext()
    assert compute_map(context, [PRU.content()], "pca") == [placed_key(PRU, "pca")]
    assert context.reports
    drawn = drawable.meta(map_key(PRU, "pca"))
    assert drawn is not None
    assert drawn["fitted_on"] == ["pru:tuned"]
    keys = compute_map(FakeContext(), [PRU.content(), SHRINK.content()], "pca")
    assert keys == [placed_key(PRU, "pca"), placed_key(SHRINK, "pca")]
    assert fits == [1]
    entry = drawable.get(placed_key(SHRINK, "pca"))
    assert entry is not None
    placed = PlacedRun.from_entry(entry)
    assert placed.xy.shape == (5, 60, 2)
    assert np.isfinite(placed.xy).all()
    assert placed.map_id == drawn["id"]


def test_a_map_fitted_again_is_another_map(drawable: Store) -> None:
    both = [PRU.content(), SHRINK.content()]
    compute_map(FakeContext(), both[:1], "pca")
    before = drawable.meta(map_key(PRU, "pca"))
    compute_map(FakeContext(), both, "pca", again=True)
    after = drawable.meta(map_key(PRU, "pca"))
    assert before is not None
    assert after is not None
    assert after["fitted_on"] == ["boundary_shrink:tuned", "pru:tuned"]
    assert after["id"] != before["id"]


@pytest.mark.parametrize("run", [PRU, RETRAIN], ids=str)
def test_what_was_drawn_of_the_networks_before_counts_no_longer(
    drawable: Store, run: RunConfig
) -> None:
    compute_map(FakeContext(), [run.content()], "pca")
    compute_classic(FakeContext(), run.content(), 0)
    for make in (inside_key, measures_key):
        drawable.put(make(run), {}, {})
    compute_run(FakeContext(), run.content(), again=True)
    makers = (classic_key, inside_key, measures_key, partial(placed_key, kind="pca"))
    assert [make(run) for make in makers if drawable.meta(make(run)) is not None] == []
    # Only a map that other runs are on, too, remains.
    assert (drawable.meta(map_key(run, "pca")) is None) == (run is RETRAIN)


def test_deleting_everything_of_a_run_leaves_what_others_are_on_and_nothing_else(
    drawable: Store,
) -> None:
    compute_map(FakeContext(), [run.content() for run in (PRU, RETRAIN)], "pca")
    for run in (PRU, RETRAIN):
        compute_classic(FakeContext(), run.content(), 0)
        for make in (inside_key, measures_key):
            drawable.put(make(run), {}, {})
    for run in (PRU, RETRAIN, SHRINK):
        for key in everything(run):
            drawable.delete(key)
    assert drawable.keys() == [map_key(PRU, "pca")]


def test_retrain_is_drawn_on_a_map_of_its_own(drawable: Store) -> None:
    compute_map(FakeContext(), [PRU.content(), RETRAIN.content()], "pca")
    own, shared = (drawable.meta(map_key(run, "pca")) for run in (RETRAIN, PRU))
    assert own is not None
    assert shared is not None
    assert own["fitted_on"] == ["retrain:quick"]
    assert shared["fitted_on"] == ["pru:tuned"]
    placed = drawable.meta(placed_key(RETRAIN, "pca"))
    assert placed is not None
    assert placed["map_id"] == own["id"]


def test_pictures_of_umap_are_drawn_one_by_one_and_kept(drawable: Store) -> None:
    for snapshot in (2, 0):
        assert compute_classic(FakeContext(), PRU.content(), snapshot) == classic_key(PRU)
    pictures, features = drawable.get(classic_key(PRU)), drawable.get(features_key(PRU))
    assert pictures is not None
    assert features is not None
    assert set(pictures.arrays) == {"0", "2"}
    for name, picture in pictures.arrays.items():
        expected = features.arrays["features"][int(name)][:, :2]
        np.testing.assert_array_equal(picture, expected)


def test_a_snapshot_that_does_not_exist_is_refused_with_a_sentence(drawable: Store) -> None:
    with pytest.raises(ValueError, match="This run has 7 snapshots; there is no number 7"):
        compute_classic(FakeContext(), PRU.content(), 7)


def test_umap_is_compiled_once_while_a_map_is_looked_at(
    drawable: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = Event()
    monkeypatch.setattr(tasks, "warm_up", compiled.set)
    tasks._compile_umap.cache_clear()
    compute_map(FakeContext(), [PRU.content()], "pca")
    assert compiled.wait(10)


def test_a_map_of_a_run_that_is_not_stored_is_refused_with_a_sentence(store: Store) -> None:
    with pytest.raises(ValueError, match="no longer stored"):
        compute_map(FakeContext(), [PRU.content()], "pca")


def test_a_map_without_features_is_refused_with_a_sentence(drawable: Store) -> None:
    drawable.delete(features_key(PRU))
    with pytest.raises(ValueError, match="cannot be drawn; run it again"):
        compute_map(FakeContext(), [PRU.content()], "pca")
    assert drawable.meta(placed_key(PRU, "pca")) is None


def test_a_map_job_is_known_by_its_scenario_its_kind_and_its_runs() -> None:
    key = map_job_key([PRU, SHRINK], "time")
    assert key == map_job_key([SHRINK, PRU], "time")
    others = [map_job_key([PRU], "time"), map_job_key([PRU, SHRINK], "raw")]
    others.append(map_job_key([config_of("pru", "tuned", forget=(3,)), SHRINK], "time"))
    assert key not in others
