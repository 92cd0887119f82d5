"""Keys know what a result depends on: parameters and amounts, not their names."""

from dataclasses import replace
from typing import Any

import pytest

from pru_demo.config import RunConfig, setting_of
from pru_demo.experiment.keys import (
    KINDS,
    derived,
    everything,
    map_key,
    run_key,
    shipped,
    unlearned_key,
)
from pru_demo.experiment.maps import KINDS as MAP_KINDS
from pru_demo.experiment.maps import LIVE
from pru_demo.experiment.record import RunRecord, RunResult
from pru_demo.parameters import Params
from pru_demo.settings import PRESETS
from pru_demo.store import Store
from tests.experiment.conftest import config_of, keep, with_variant

pytestmark = pytest.mark.usefixtures("shrunken")

PRU = config_of("pru", "tuned")
RETRAIN = config_of("retrain", "quick")


def keys(config: RunConfig) -> list[str]:
    return [kind.key(config) for kind in KINDS]


def params_of(config: RunConfig) -> Params:
    return setting_of(config).params


def test_another_value_in_a_variant_is_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys(PRU)
    changed: Any = replace(params_of(PRU), learning_rate_E=0.123)  # type: ignore[call-arg]
    with_variant(monkeypatch, "pru", changed, "tuned")
    assert set(keys(PRU)).isdisjoint(before)
    # The scenario is the same, so its maps are.
    assert map_key(PRU, "time") == map_key(config_of("pru", "paper"), "time")


def test_equal_parameters_are_one_run_that_belongs_to_whoever_asks(
    store: Store, results: dict[str, RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_variant(monkeypatch, "pru", params_of(PRU), "twin")
    twin = config_of("pru", "twin")
    assert keys(twin) == keys(PRU)
    keep(store, results["pru"])
    entry = store.get(run_key(twin))
    assert entry is not None
    record = RunRecord.from_entry(entry, twin)
    assert (record.config, record.origin) == (twin, "a test")
    assert RunRecord.from_entry(entry).config == PRU


def test_a_preset_is_what_it_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys(PRU)
    monkeypatch.setitem(PRESETS, "lecture", PRESETS["classroom"])
    assert keys(config_of("pru", "tuned", preset="lecture")) == before
    fewer = replace(PRESETS["classroom"], relearn_samples=100)
    monkeypatch.setitem(PRESETS, "classroom", fewer)
    assert set(keys(PRU)).isdisjoint(before)


@pytest.mark.parametrize(
    "changes", [{"forget": (3,)}, {"seed": 8}, {"max_batch": 16}, {"forget_samples": 16}]
)
def test_what_unlearning_depends_on_is_in_the_key_of_its_state(changes: dict[str, Any]) -> None:
    assert unlearned_key(config_of("pru", "tuned", **changes)) != unlearned_key(PRU)


def test_how_it_relearns_is_not() -> None:
    longer = config_of("pru", "tuned", relearn_epochs=9)
    assert unlearned_key(longer) == unlearned_key(PRU)
    assert run_key(longer) != run_key(PRU)


@pytest.mark.parametrize("run", [PRU, RETRAIN], ids=["PRU", "Retrain"])
def test_maps_of_its_own_go_with_a_run_and_those_of_the_scenario_stay(run: RunConfig) -> None:
    maps = {map_key(run, kind) for kind in MAP_KINDS}
    shared = map_key(run, LIVE)
    own = maps if run is RETRAIN else set()
    assert maps & {*everything(run)} == maps & {*derived(run)} == own
    assert shared not in everything(run)
    assert {*keys(run), *derived(run)} == {*everything(run)}
    assert everything(run)[0] == run_key(run)


def test_every_map_ships_and_each_file_has_a_name_of_its_own() -> None:
    names = shipped(PRU) | shipped(RETRAIN)
    assert len(set(names.values())) == len(names)
    for run in (PRU, RETRAIN):
        assert {map_key(run, kind) for kind in MAP_KINDS} <= shipped(run).keys()
    stem = "mnist-allcnn-small-9-classroom-seed7"
    assert shipped(PRU)[run_key(PRU)] == f"{stem}-pru-tuned.run"
    assert shipped(RETRAIN)[map_key(RETRAIN, "pca")] == f"{stem}-retrain.pca.map"
    assert shipped(PRU)[map_key(PRU, "pca")] == f"{stem}.pca.map"
