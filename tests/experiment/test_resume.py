"""A run that was interrupted ends as if it had not been."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pru_demo.config import RunConfig, planned_epochs, variants_of
from pru_demo.experiment import run as pipeline
from pru_demo.experiment.checkpoint import last_checkpoint
from pru_demo.experiment.keys import partial_key, unlearned_key, weights_key
from pru_demo.experiment.material import Material
from pru_demo.experiment.record import RunRecord, RunResult
from pru_demo.methods import METHODS
from pru_demo.methods.step import RetainSet
from pru_demo.paths import ROOT
from pru_demo.settings import PRESETS
from pru_demo.store import Entry, Store, StoreUnavailable
from tests.experiment.conftest import EPOCHS, FakeContext, config_of, run_into, shrink, with_variant

pytestmark = pytest.mark.usefixtures("shrunken")

PRU = config_of("pru", "tuned")


class Interrupted(Exception):
    """What the end of a worker looks like from inside, near enough."""


class DyingContext(FakeContext):
    """Dies at the report of snapshot ``last``."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self._last = last

    def report(self, **event: Any) -> None:
        super().report(**event)
        if event.get("done") == self._last:
            raise Interrupted


class DiesAfterStarting(FakeContext):
    """Dies at the first report of a method that has started."""

    def __init__(self, started: list[int]) -> None:
        super().__init__()
        self._started = started

    def report(self, **event: Any) -> None:
        super().report(**event)
        if self._started and event.get("done", 0) > 1:
            raise Interrupted


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[[str], Store]]:
    stores: list[Store] = []

    def make(name: str) -> Store:
        stores.append(Store(tmp_path / name / "store"))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture(scope="module")
def uninterrupted(results: dict[str, RunResult]) -> RunRecord:
    """The record of ``PRU``."""
    return results["pru"].record


def facts(record: RunRecord) -> dict[str, Any]:
    """All of a record but what depends on the clock."""
    kept = {k: v for k, v in vars(record).items() if k not in ("seconds", "arrays", "made_with")}
    return kept | {"sizes": {k: v for k, v in record.sizes.items() if k != "peak_bytes"}}


def assert_same(whole: RunRecord, resumed: RunRecord) -> None:
    assert facts(resumed) == facts(whole)
    assert resumed.arrays.keys() == whole.arrays.keys()
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(resumed.arrays[name], array, name)


def die(store: Store, config: RunConfig, last: int) -> None:
    with pytest.raises(Interrupted):
        run_into(store, config, DyingContext(last))


def fewer(d_r: RetainSet) -> RetainSet:
    return RetainSet(d_r.images[:192], d_r.labels[:192], d_r.augment)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_run_interrupted_anywhere_ends_as_if_it_had_not_been(
    method: str, open_store: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    # One epoch of Retrain leaves nothing to go on with.
    longer = replace(PRESETS["classroom"], retrain_epochs=EPOCHS)
    monkeypatch.setitem(PRESETS, "classroom", longer)
    # What is the same does not get more so with more images.
    many = Material.retain
    monkeypatch.setattr(Material, "retain", lambda self: fewer(many(self)))
    config = config_of(method, variants_of(method, PRU.scenario)[0])
    whole, again = open_store("whole"), open_store("interrupted")
    record, started = run_into(whole, config), asked_of(monkeypatch)
    # It dies at every snapshot but the first, each time one further.
    for last in range(2, len(record.snapshots) + 1):
        die(again, config, last)
    assert_same(record, run_into(again, config))
    weights = [store.get(weights_key(config)) for store in (whole, again)]
    assert weights[0] is not None
    assert weights[1] is not None
    assert weights[0].arrays.keys() == weights[1].arrays.keys()
    for name, array in weights[0].arrays.items():
        np.testing.assert_array_equal(weights[1].arrays[name], array, name)
    assert again.get(partial_key(config)) is None

    # What was told last is not yet in a checkpoint, so the attempt after it does it again.
    steps = METHODS[method].steps_per_epoch
    attempts = range(steps * planned_epochs(config))
    resumable = METHODS[method].resumable
    assert started == [0, *(done // steps if resumable else 0 for done in attempts)]


def asked_of(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For each time that the method is started from now on: after which epoch."""
    started: list[int] = []
    usual = pipeline.unlearn

    def unlearn(name: str, original: Any, material: Any, params: Any, resume: Any = None) -> Any:
        started.append(resume.epoch if resume else 0)
        return usual(name, original, material, params, resume)

    monkeypatch.setattr(pipeline, "unlearn", unlearn)
    return started


def test_completed_epochs_are_not_done_again(
    open_store: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, started = open_store("store"), asked_of(monkeypatch)
    die(store, PRU, 4)  # original, E 1, C 1, E 2
    die(store, PRU, 6)  # C 2, relearning 1
    context = FakeContext()
    run_into(store, PRU, context)
    assert started == [0, 1]
    messages = [each["message"] for each in context.reports if "message" in each]
    assert messages[-1] == "Going on after unlearning"
    told = [each["done"] for each in context.reports if "snapshot" in each]
    assert told == list(range(1, 8)), "the page that watches gets the whole story"


def test_relearning_for_longer_does_not_unlearn_again(
    open_store: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, started = open_store("store"), asked_of(monkeypatch)
    short = run_into(store, PRU)
    long = run_into(store, config_of("pru", "tuned", relearn_epochs=4))
    assert started == [0]
    assert long.relearning("A_f")[:3] == short.relearning("A_f")
    assert len(long.relearning("A_f")) == 5
    assert_same(run_into(open_store("other"), long.config), long)


def test_smaller_batches_are_another_run_and_the_record_says_so(
    open_store: Callable[[str], Store],
) -> None:
    record = run_into(open_store("s"), config_of("pru", "tuned", max_batch=16))
    assert record.params["batch_size"] == 16
    assert unlearned_key(record.config) != unlearned_key(PRU)


def _without(part: str) -> Callable[[Entry], Entry]:
    return lambda entry: Entry(
        entry.meta, {name: each for name, each in entry.arrays.items() if part not in name}
    )


def _with(**changes: Any) -> Callable[[Entry], Entry]:
    return lambda entry: Entry({**entry.meta, **changes}, entry.arrays)


@pytest.fixture(scope="module", params=[4, 7], ids=["unlearning", "relearning"])
def interrupted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Entry]:
    """The checkpoint of ``PRU`` when it died at this snapshot."""
    store = Store(tmp_path_factory.mktemp("interrupted") / "store")
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        die(store, PRU, request.param)
        entry = store.get(partial_key(PRU))
    assert entry is not None
    yield entry
    store.close()


@pytest.mark.parametrize(
    "broken",
    [
        lambda _: Entry({}, {"state/w.x": np.zeros(3)}),
        lambda _: Entry({"nonsense": 1}),
        _with(after=["original", 1]),
        _with(after=["unlearn", "one"]),
        _with(after=None),
        _with(seconds={}),
        _with(snapshots=[]),
        _with(snapshots=[{"nonsense": 1}]),
        _without("confusion"),
        _without("features/"),
    ],
)
def test_what_is_no_checkpoint_counts_as_none(
    broken: Callable[[Entry], Entry], interrupted: Entry, store: Store
) -> None:
    changed = broken(interrupted)
    store.put(partial_key(PRU), interrupted.meta, interrupted.arrays)
    assert last_checkpoint(store, PRU) is not None
    store.put(partial_key(PRU), changed.meta, changed.arrays)
    assert last_checkpoint(store, PRU) is None


@pytest.mark.parametrize(
    "foreign",
    [
        _with(params={}),
        _with(sizes={}),
        lambda entry: Entry(entry.meta, {**entry.arrays, "labels": 9 - entry.arrays["labels"]}),
        _without("state/w.classifier"),
        _without("state/"),
    ],
)
def test_what_is_no_checkpoint_of_this_run_means_starting_over(
    foreign: Callable[[Entry], Entry],
    interrupted: Entry,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed, started = foreign(interrupted), asked_of(monkeypatch)
    store.put(partial_key(PRU), changed.meta, changed.arrays)
    assert last_checkpoint(store, PRU) is not None
    with pytest.raises(Interrupted):
        run_into(store, PRU, DiesAfterStarting(started))
    assert started[-1] == 0
    assert last_checkpoint(store, PRU) is None


def test_starting_over_ends_as_if_nothing_had_been_there(
    interrupted: Entry, store: Store, uninterrupted: RunRecord
) -> None:
    changed = _without("state/w.classifier")(interrupted)
    store.put(partial_key(PRU), changed.meta, changed.arrays)
    assert_same(uninterrupted, run_into(store, PRU))


def test_a_run_that_dies_during_the_control_does_not_lose_its_network(
    store: Store, uninterrupted: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any, **__: Any) -> Any:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "batch_norm_only", dies)
        with pytest.raises(Interrupted):
            run_into(store, PRU)
    assert_same(uninterrupted, run_into(store, PRU))


def test_a_damaged_checkpoint_counts_as_none(store: Store, interrupted: Entry) -> None:
    store.put(partial_key(PRU), interrupted.meta, interrupted.arrays)
    (file,) = (
        each for each in store.directory.rglob("*.safetensors") if each.stat().st_size > 100_000
    )
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert last_checkpoint(store, PRU) is None


def test_a_run_with_other_parameters_does_not_go_on_from_the_old_ones(
    open_store: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    params = METHODS["delete"].values.of("mnist", "allcnn-small")["tuned"].params
    config = config_of("delete", "changing")
    with_variant(monkeypatch, "delete", params, "changing")
    store, started = open_store("store"), asked_of(monkeypatch)
    run_into(store, config)
    # As if the next version of the program had searched again.
    now: Any = replace(params, learning_rate=1e-3)  # type: ignore[call-arg]
    with_variant(monkeypatch, "delete", now, "changing")
    record = run_into(store, config)
    assert started == [0, 0]
    assert record.params["learning_rate"] == 1e-3
    assert_same(run_into(open_store("other"), config), record)


def test_seconds_are_those_of_all_attempts(
    open_store: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def tick() -> float:
        nonlocal now
        now += 1
        return now

    monkeypatch.setattr("time.perf_counter", tick)
    store = open_store("store")
    whole = run_into(open_store("whole"), PRU).seconds
    die(store, PRU, 4)
    die(store, PRU, 7)
    seconds = run_into(store, PRU).seconds
    assert seconds["unlearn"] == whole["unlearn"]
    assert seconds["relearn"] == whole["relearn"]
    assert seconds["total"] >= whole["total"]


def test_a_checkpoint_that_cannot_be_kept_does_not_end_the_run(
    open_store: Callable[[str], Store],
    uninterrupted: RunRecord,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, usual = open_store("store"), Store.put
    refusals = iter([StoreUnavailable("The disk is full."), ValueError("It is too large.")] * 9)

    def put(self: Store, key: str, *entry: Any) -> None:
        if "partial" in key or "unlearned" in key:
            raise next(refusals)
        usual(self, key, *entry)

    monkeypatch.setattr(Store, "put", put)
    assert_same(uninterrupted, run_into(store, PRU))
    assert "The disk is full." in caplog.text
    assert "It is too large." in caplog.text


@pytest.mark.parametrize(
    ("attempt", "resume", "starts"), [(1, False, [0]), (1, True, [1]), (2, False, [1])]
)
def test_running_again_starts_afresh_unless_it_resumes_or_its_first_worker_died(
    attempt: int,
    resume: bool,
    starts: list[int],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    die(store, PRU, 4)
    started = asked_of(monkeypatch)
    context = DiesAfterStarting(started)
    context.attempt = attempt
    with pytest.raises(Interrupted):
        run_into(store, PRU, context, again=True, resume=resume)
    assert started == starts


def test_starting_afresh_leaves_nothing_old_for_a_second_attempt(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_into(store, PRU)
    started = asked_of(monkeypatch)
    # Before the first checkpoint of its own.
    with pytest.raises(Interrupted):
        run_into(store, PRU, DyingContext(2), again=True)
    second = FakeContext()
    second.attempt = 2
    run_into(store, PRU, second, again=True)
    assert started == [0, 0]


WORKER = """
import sys, time
import pytest
from pathlib import Path
from pru_demo.store import Store
from tests.experiment.conftest import FakeContext, run_into, shrink
from tests.experiment.test_resume import PRU

class Slow(FakeContext):
    def report(self, **event):
        super().report(**event)
        Path(sys.argv[2]).write_text(str(event.get("done", 0)))
        time.sleep(0.2)

shrink(pytest.MonkeyPatch())
run_into(Store(Path(sys.argv[1])), PRU, Slow())
"""


@pytest.mark.slow
def test_a_run_whose_process_is_killed_resumes_to_the_same_record(
    tmp_path: Path, open_store: Callable[[str], Store], uninterrupted: RunRecord
) -> None:
    folder, progress = tmp_path / "killed" / "store", tmp_path / "progress"
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), str(progress)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 120
    while not progress.exists() or int(progress.read_text() or 0) < 5:
        assert worker.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    worker.send_signal(signal.SIGKILL)
    worker.wait()

    resumed = run_into(open_store("killed"), PRU)
    assert_same(uninterrupted, resumed)
