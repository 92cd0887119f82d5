"""The real pipeline on very little work: the shipped original, 32 nines, 60 shown samples."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment import tasks
from pru_demo.experiment.keys import features_key, run_key, weights_key
from pru_demo.experiment.record import RunRecord
from pru_demo.methods import METHODS
from pru_demo.parameters import Params, RetrainParams
from pru_demo.settings import PRESETS, Setting, Values
from pru_demo.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pru_demo.experiment.record import RunResult

EPOCHS, RELEARNING_EPOCHS = 2, 2
FORGET_SAMPLES = 32


def shrink(patch: pytest.MonkeyPatch) -> None:
    """Make the classroom preset tiny."""
    import torch

    from pru_demo.data import splits as sampling
    from pru_demo.experiment import material
    from pru_demo.methods.step import RetainSet

    torch.set_num_threads(1)
    small = replace(
        PRESETS["classroom"],
        epochs=EPOCHS,
        retrain_epochs=1,
        forget_samples=FORGET_SAMPLES,
        relearn_samples=128,
    )
    patch.setenv("PRU_DEVICE", "cpu")
    patch.setitem(PRESETS, "classroom", small)
    patch.setattr(sampling, "SHOWN_SAMPLES", 60)
    whole = material.Material.retain

    def retain(self: material.Material) -> RetainSet:
        d_r = whole(self)
        return RetainSet(d_r.images[:2560], d_r.labels[:2560])

    patch.setattr(material.Material, "retain", retain)
    # So few images teach something at five times the usual rate only.
    with_variant(patch, "retrain", RetrainParams(0.05, 1e-4), "quick")


def with_variant(patch: pytest.MonkeyPatch, method: str, params: Params, name: str) -> None:
    """Register one more variant of ``method``."""
    entry = METHODS[method]
    scenario = Scenario()
    known = entry.values.of(scenario.dataset, scenario.model)
    table = {("*", "*"): {**known, name: Setting(params, "a test")}}
    patch.setitem(METHODS, method, replace(entry, values=Values(table)))


@pytest.fixture
def shrunken(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that start runs of their own."""
    shrink(monkeypatch)


def config_of(method: str, variant: str, **scenario: Any) -> RunConfig:
    """A configuration of the shrunken preset that relearns for a short time."""
    scenario.setdefault("relearn_epochs", RELEARNING_EPOCHS)
    return RunConfig(Scenario(**scenario), Pick(method, variant))


class FakeContext:
    """A task's context: keeps the reports, and asks to stop after ``patience`` questions."""

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
    opened = Store(tmp_path / "store")
    monkeypatch.setattr(tasks, "worker_store", lambda: opened)
    yield opened
    opened.close()


def run_into(
    store: Store, config: RunConfig, context: FakeContext | None = None, **options: Any
) -> RunRecord:
    """Compute a run as a worker whose store this is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "worker_store", lambda: store)
        key = tasks.compute_run(context or FakeContext(), config.content(), **options)
    assert key == run_key(config)
    entry = store.get(key)
    assert entry is not None
    return RunRecord.from_entry(entry, config)


def keep(store: Store, result: RunResult) -> RunConfig:
    """Store what a worker stores of a finished run."""
    config, record = result.record.config, result.record.to_entry()
    store.put(weights_key(config), {}, result.weights)
    store.put(features_key(config), {}, result.features)
    store.put(run_key(config), record.meta, record.arrays)
    return config


@pytest.fixture(scope="package")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunResult]:
    """One finished run of each method, by its name."""
    from pru_demo.experiment.run import execute

    kept = tmp_path_factory.mktemp("originals")
    configs = [
        config_of("pru", "tuned"),
        config_of("boundary_shrink", "tuned"),
        config_of("retrain", "quick"),
        config_of("original", "paper"),
        config_of("mask", "default"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        finished = {config.pick.method: execute(config, kept) for config in configs}
    assert list(kept.iterdir()) == []
    return finished
