"""What an older version has stored is found under today's keys, and nothing is lost on the way."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import diskcache
import numpy as np
import pytest

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment import keys, migration
from pru_demo.experiment import run as pipeline
from pru_demo.experiment.maps import KINDS, LIVE
from pru_demo.experiment.migration import migrate
from pru_demo.experiment.record import RunRecord, RunResult
from pru_demo.settings import PRESETS
from pru_demo.store import Entry, Store, StoreUnavailable, write_bundle
from pru_demo.store.old_layout import old_entries
from tests.experiment.conftest import config_of, keep, run_into
from tests.experiment.test_resume import asked_of
from tests.store.test_old_layout import encode_old

pytestmark = pytest.mark.usefixtures("shrunken")

SHARED = ("forget_set", "layers")
MEASURES = {"forget_set": {"A_f": 1}, "layers": {"blocks": []}, "features": {}, "test_part": {}}


def old_key(kind: str, content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"v2:{kind}:{hashlib.sha256(text.encode()).hexdigest()}"


def marked(name: str) -> Entry:
    """Something to be recognised by."""
    return Entry({"id": name}, {"x": np.frombuffer(name.encode(), np.uint8)})


def old_parts(record: RunRecord) -> dict[str, Entry]:
    """Everything that an older version may have stored of a run, but checkpoints."""
    content = record.config.content()
    scenario = {k: v for k, v in content.items() if k not in ("method", "variant")}
    owner = content if record.config.pick.method == "retrain" else scenario
    measured = dict(content)
    if content.get("given", "D_f") != "D_f":
        measured["members"] = "D_f"
    parts = {old_key("run", content): record.to_entry()}
    for kind in ("weights", "features", "perceived", "classic"):
        parts[old_key(kind, content)] = marked(kind)
    for kind in KINDS:
        parts[old_key("placed", {**content, "kind": kind})] = marked(f"placed {kind}")
    for kind in (*KINDS, LIVE):
        parts[old_key("map", {**owner, "kind": kind})] = marked(f"map {kind}")
    parts[old_key("measures", measured)] = Entry(MEASURES)
    return parts


def leave(folder: Path, parts: Mapping[str, Entry]) -> None:
    """Store something as an older version did."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with diskcache.Cache(str(folder)) as cache:  # noqa: TID251  # as they were written
        for key, entry in parts.items():
            cache.set(key, encode_old(entry))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def found(folder: Path, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Migrates and opens the store, above an empty bundle."""
    stores: list[Store] = []

    def make() -> Store:
        migrate(folder, tmp_path / "no records")
        stores.append(Store(folder))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def record_of(result: RunResult, **scenario: Any) -> RunRecord:
    config = result.record.config
    return replace(
        result.record, config=replace(config, scenario=replace(config.scenario, **scenario))
    )


def assert_moved(store: Store, run: RunConfig) -> None:
    """All of ``old_parts`` is where it is looked for today."""
    for kind in ("weights", "features", "perceived", "classic"):
        entry = store.get(getattr(keys, f"{kind}_key")(run))
        assert entry is not None
        assert entry.meta == {"id": kind}
        assert entry.arrays["x"].tobytes().decode() == kind
    for kind in (*KINDS, LIVE):
        assert store.meta(keys.map_key(run, kind)) == {"id": f"map {kind}"}
    for kind in KINDS:
        assert store.meta(keys.placed_key(run, kind)) == {"id": f"placed {kind}"}
    assert store.meta(keys.inside_key(run)) == {name: MEASURES[name] for name in SHARED}
    rest = {name: value for name, value in MEASURES.items() if name not in SHARED}
    assert store.meta(keys.measures_key(run)) == rest


@pytest.mark.parametrize(
    ("method", "scenario"),
    [("pru", {}), ("retrain", {}), ("pru", {"given": "D_f_new"}), ("original", {"max_batch": 16})],
)
def test_a_run_moves_with_all_that_belongs_to_it(
    results: dict[str, RunResult],
    folder: Path,
    found: Callable[[], Store],
    method: str,
    scenario: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    record = record_of(results[method], **scenario)
    leave(folder, old_parts(record))
    with caplog.at_level(logging.WARNING):
        store = found()
    run = record.config
    entry = store.get(keys.run_key(run))
    assert entry is not None
    moved = RunRecord.from_entry(entry, run)
    assert replace(moved, arrays={}) == replace(record, arrays={})
    for name, array in record.arrays.items():
        np.testing.assert_array_equal(moved.arrays[name], array)
    assert_moved(store, run)
    assert next(old_entries(folder), None) is None
    assert "15 of 15 results" in caplog.text or "16 of 16 results" in caplog.text
    caplog.clear()
    found()
    assert caplog.text == "", "there is nothing left to do"


@pytest.mark.parametrize(
    ("preset", "pick", "part", "key"),
    [
        ("classroom", "pru:tuned", "run", "run:8b1dc262a66559af107b7511033567fd"),
        ("full", "retrain:paper", "weights", "weights:74c493a176f688526c39300b3788a4b7"),
        ("full", "pru:paper", "measures", "measures:fb437d4a92cabaf932465b6dbcf272cf"),
        ("classroom", "pru:paper", "map time", "map:e7e52f4769988815b43121d104c53fd7"),
        ("classroom", "retrain:paper", "map sharp", "map:37aab74ada143e3cca40f184d56ec3dc"),
        (
            "full",
            "boundary_shrink:released",
            "placed raw",
            "placed:5f0e3fce5e3dc44273e269646f1fe54e",
        ),
    ],
)
def test_the_recipe_of_old_keys_is_the_one_that_the_records_shipped_with(
    preset: str, pick: str, part: str, key: str
) -> None:
    run = RunConfig(Scenario(preset=preset), Pick.parse(pick))
    assert migration._old_keys(run.content())[part].startswith(f"v2:{key}")


def test_what_was_made_with_other_parameters_is_not_found_under_the_name_of_todays(
    results: dict[str, RunResult], folder: Path, found: Callable[[], Store]
) -> None:
    record = results["pru"].record
    before = replace(record, params={**record.params, "learning_rate_E": 0.25})
    leave(folder, old_parts(before))
    store = found()
    assert store.meta(keys.run_key(record.config)) is None
    assert_moved(store, migration.run_as_it_was(before.to_entry().meta))


def test_a_record_from_before_a_parameter_existed_has_its_default(
    results: dict[str, RunResult], folder: Path, found: Callable[[], Store]
) -> None:
    record = results["boundary_shrink"].record
    default = {n: v for n, v in record.params.items() if n != "momentum"}
    assert default != record.params
    leave(folder, old_parts(replace(record, params=default)))
    assert found().meta(keys.run_key(record.config)) is not None


def test_what_is_there_under_todays_key_stays(
    results: dict[str, RunResult], folder: Path, found: Callable[[], Store]
) -> None:
    result = results["pru"]
    store = Store(folder)
    run = keep(store, result)
    store.close()
    before = replace(result.record, made_with={"owner": "somebody"})
    leave(folder, old_parts(before))
    moved = found()
    meta, weights = moved.meta(keys.run_key(run)), moved.get(keys.weights_key(run))
    assert meta is not None
    assert weights is not None
    assert meta["made_with"] == result.record.made_with
    assert weights.arrays.keys() == result.weights.keys()
    assert moved.meta(keys.perceived_key(run)) == {"id": "perceived"}


def test_a_run_that_is_not_known_today_is_kept_for_another_day(
    results: dict[str, RunResult],
    folder: Path,
    found: Callable[[], Store],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record, other = results["pru"].record, record_of(results["retrain"], preset="marathon")
    strange = old_parts(other)
    leave(folder, {**old_parts(record), **strange})
    leave(folder, {old_key("weights", {"of": "no run"}): marked("waste")})
    assert_moved(found(), record.config)
    assert {key for key, _ in old_entries(folder)} == set(strange)
    monkeypatch.setitem(PRESETS, "marathon", PRESETS["classroom"])
    assert_moved(found(), other.config)
    assert next(old_entries(folder), None) is None


def test_what_was_added_to_a_shipped_run_moves_too(
    results: dict[str, RunResult], folder: Path, tmp_path: Path
) -> None:
    record = results["pru"].record
    parts = old_parts(record)
    del parts[old_key("run", record.config.content())]
    # One that was withdrawn because the run had been computed anew.
    withdrawn = old_key("measures", record.config.content())
    leave(folder, {**parts, withdrawn: Entry({"withdrawn": True})})
    bundle = tmp_path / "records"
    run = record.config
    shown = Entry({"forget_set": {}, "layers": {}})
    entries = {keys.run_key(run): record.to_entry(), keys.inside_key(run): shown}
    write_bundle(bundle, entries, dict(zip(entries, ("a.run", "a.inside"), strict=True)))
    migrate(folder, bundle)
    store = Store(folder, bundle)
    assert store.meta(keys.classic_key(run)) == {"id": "classic"}
    assert store.meta(keys.inside_key(run)) is None
    store.close()


@pytest.mark.parametrize("point", ["put", "remove_old"])
def test_an_interrupted_migration_is_done_again(
    results: dict[str, RunResult],
    folder: Path,
    found: Callable[[], Store],
    point: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = results["pru"].record
    leave(folder, old_parts(record))
    puts = iter(range(100))
    usual = Store.put

    def fails(self: Store, key: str, *entry: Any) -> None:
        if next(puts) == 5:
            raise StoreUnavailable("The disk is full.")
        usual(self, key, *entry)

    def dies(*_: Any) -> None:
        raise StoreUnavailable("The disk is gone.")

    with monkeypatch.context() as patch:
        if point == "put":
            patch.setattr(Store, "put", fails)
        else:
            patch.setattr(migration, "remove_old", dies)
        with pytest.raises(StoreUnavailable):
            found()
    assert len(dict(old_entries(folder))) == len(old_parts(record))
    store = found()
    assert store.meta(keys.run_key(record.config)) is not None
    assert_moved(store, record.config)


def test_who_cannot_move_old_results_still_gets_the_store(
    results: dict[str, RunResult],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def dies(*_: Any) -> None:
        raise StoreUnavailable("The disk is gone.")

    monkeypatch.setenv("PRU_STORE_DIR", str(folder))
    monkeypatch.setattr(migration, "remove_old", dies)
    record = results["pru"].record
    leave(folder, old_parts(record))
    store = migration.open_results()
    assert store.meta(keys.run_key(record.config)) is not None
    assert "The disk is gone." in caplog.text
    store.close()


def test_several_at_once_do_it_once(
    results: dict[str, RunResult], folder: Path, tmp_path: Path, found: Callable[[], Store]
) -> None:
    record = results["pru"].record
    leave(folder, old_parts(record))
    errors: list[Exception] = []

    def work() -> None:
        try:
            migrate(folder, tmp_path / "no records")
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert_moved(found(), record.config)


def old_checkpoint(store: Store, record: RunRecord, seen: list[Any]) -> Entry:
    """The state right after unlearning as an older version wrote it, from today's."""
    entry = store.get(keys.unlearned_key(record.config))
    assert entry is not None
    *snapshots, control = seen[: record.unlearned + 2]
    arrays = {
        name: np.stack([getattr(each, name) for each in snapshots])
        for name in ("confusion", "features", "probabilities")
    }
    arrays |= {f"control/{name}": getattr(control, name) for name in arrays}
    arrays |= {name: entry.arrays[name] for name in ("shown", "labels")}
    beside = ("state/", "weights/")
    arrays |= {name: each for name, each in entry.arrays.items() if name.startswith(beside)}
    sizes = {name: n for name, n in record.sizes.items() if name != "peak_bytes"}
    meta = {
        "made_for": {**record.params, **sizes, "shown": len(entry.arrays["shown"])},
        "stage": "relearn",
        "epoch": 0,
        "cost": record.forward_equivalents,
        "seconds": entry.meta["seconds"],
        "recorded": {"snapshots": entry.meta["snapshots"], "failure": None},
    }
    return Entry(meta, arrays)


def test_who_relearns_for_longer_after_the_migration_need_not_unlearn_again(
    folder: Path, tmp_path: Path, found: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    observe = pipeline.observe
    monkeypatch.setattr(pipeline, "observe", lambda *a: seen.append(observe(*a)) or seen[-1])
    before, run = Store(tmp_path / "before"), config_of("pru", "tuned", forget=(4, 9))
    record = run_into(before, run)
    content = run.content()
    content.pop("relearn_epochs")
    checkpoint = old_checkpoint(before, record, seen)
    leave(folder, {**old_parts(record), old_key("unlearned", content): checkpoint})
    store = found()
    moved, native = (each.get(keys.unlearned_key(run)) for each in (store, before))
    assert moved is not None
    assert native is not None
    assert moved.meta == native.meta
    assert moved.arrays.keys() == native.arrays.keys()
    for name, array in native.arrays.items():
        np.testing.assert_array_equal(moved.arrays[name], array, name, strict=True)
    started = asked_of(monkeypatch)
    longer = config_of("pru", "tuned", forget=(4, 9), relearn_epochs=3)
    assert run_into(store, longer).relearning("A_f")[:3] == record.relearning("A_f")
    assert started == []
    before.close()
