"""Tasks as the engine calls them, on a store of their own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.runs import maps, pipeline, tasks
from pru_demo.runs.engine.protocol import Cancelled
from pru_demo.runs.maps import PlacedRun, map_key, placed_key
from pru_demo.runs.pipeline import RunResult
from pru_demo.runs.record import RunRecord, features_key, run_key, weights_key
from pru_demo.runs.store import Store, write_bundle
from pru_demo.runs.tasks import compute_map, compute_run, map_job_key, worker_store
from tests.runs.conftest import config_of

PRU = config_of("pru", "tuned")


class FakeContext:
    """Keeps the reports, and asks to stop after ``patience`` questions."""

    job_id, attempt = "job", 1

    def __init__(self, patience: int = 1_000_000) -> None:
        self.reports: list[dict[str, Any]] = []
        self.asked = 0
        self._patience = patience

    def report(self, **event: Any) -> None:
        self.reports.append(json.loads(json.dumps(event, allow_nan=False)))

    def cancelled(self) -> bool:
        self.asked += 1
        return self.asked >= self._patience


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shrunken: None) -> Iterator[Store]:
    """The store of the tasks: empty, and without bundled records."""
    monkeypatch.setenv("PRU_STORE_DIR", str(tmp_path / "store"))
    (tmp_path / "records").mkdir()
    monkeypatch.setattr(tasks, "RECORDS", tmp_path / "records")
    tasks.own_store.cache_clear()
    yield worker_store()
    worker_store().close()
    tasks.own_store.cache_clear()


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
    assert f"{compute_run.__module__}:{compute_run.__name__}" == tasks.RUN
    assert f"{compute_map.__module__}:{compute_map.__name__}" == tasks.MAP


def test_a_computed_run_is_in_the_store_with_all_that_belongs_to_it(store: Store) -> None:
    context = FakeContext()
    key = compute_run(context, PRU.content())
    assert key == run_key(PRU)
    entry, weights, features = (store.get(f(PRU)) for f in (run_key, weights_key, features_key))
    assert entry is not None
    assert weights is not None
    assert features is not None
    record = RunRecord.from_entry(entry)
    assert record.config == PRU
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
    store: Store, executed: list[RunConfig], tmp_path: Path, results: dict[str, RunResult]
) -> None:
    key, entry = run_key(PRU), next(iter(results.values())).record.to_entry()
    write_bundle(tmp_path / "records", {key: entry}, {key: "pru.run"})
    file = tmp_path / "records" / "pru.run"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    compute_run(FakeContext(), PRU.content())
    assert executed == [PRU]
    assert store.get(key) is not None


def test_arguments_may_come_through_json(store: Store, executed: list[RunConfig]) -> None:
    compute_run(FakeContext(), json.loads(json.dumps(PRU.content())))
    assert executed == [PRU]


@pytest.mark.parametrize("patience", [1, 9])
def test_a_cancelled_run_stops_at_once_and_stores_no_result(store: Store, patience: int) -> None:
    context = FakeContext(patience)
    with pytest.raises(Cancelled):
        compute_run(context, PRU.content())
    assert context.asked == patience
    # How far it came may stay, so that running it again is quicker.
    assert [key for key in store.keys() if ":partial:" not in key] == []  # noqa: SIM118


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
    assert set(order) == {run_key(PRU), weights_key(PRU), features_key(PRU)}


def test_a_map_is_drawn_from_stored_runs_and_fitted_once(
    store: Store, executed: list[RunConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "classic_umap", lambda features, *, seed: features[:, :2])
    fits = []
    fit = maps.fit
    monkeypatch.setattr(maps, "fit", lambda *a: fits.append(1) or fit(*a))
    shrink = config_of("boundary_shrink", "tuned")
    for run in (PRU, shrink):
        compute_run(FakeContext(), run.content())

    context = FakeContext()
    assert compute_map(context, [PRU.content()]) == [placed_key(PRU)]
    assert context.reports
    assert store.meta(map_key(PRU.scenario)) == {"fitted_on": ["pru:tuned"]}
    keys = compute_map(FakeContext(), [PRU.content(), shrink.content()])
    assert keys == [placed_key(PRU), placed_key(shrink)]
    assert fits == [1]
    entry = store.get(placed_key(shrink))
    assert entry is not None
    assert PlacedRun.from_entry(entry).xy.shape == (5, 60, 2)
    assert np.isfinite(entry.arrays["xy"]).all()


def test_a_map_of_a_run_that_is_not_stored_is_refused_with_a_sentence(store: Store) -> None:
    with pytest.raises(ValueError, match="no longer stored; run it again"):
        compute_map(FakeContext(), [PRU.content()])


def test_a_map_without_features_is_refused_with_a_sentence(
    store: Store, executed: list[RunConfig]
) -> None:
    compute_run(FakeContext(), PRU.content())
    store.delete(features_key(PRU))
    with pytest.raises(ValueError, match="cannot be drawn; run it again"):
        compute_map(FakeContext(), [PRU.content()])
    assert store.keys(f"{placed_key(PRU)}") == []


def test_a_map_job_is_known_by_its_scenario_and_its_runs() -> None:
    one, other = Pick("pru", "tuned"), Pick("boundary_shrink", "paper")
    key = map_job_key(Scenario(), [one, other])
    assert key == map_job_key(Scenario(), [other, one])
    assert key != map_job_key(Scenario(), [one])
    assert key != map_job_key(Scenario(forget=(3,)), [one, other])
