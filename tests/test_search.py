"""What the search tries, and how it chooses."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pru_demo.config import Scenario
from pru_demo.experiment import search as module
from pru_demo.experiment.material import gather
from pru_demo.experiment.search import AXES, attempt, grid, our_score, paper_score, search
from pru_demo.methods import METHODS
from pru_demo.parameters import NoParams, Params, PRUParams, TrainingParams, UnrollParams, as_json
from pru_demo.paths import ROOT
from pru_demo.settings import PRESETS

SCENARIO = Scenario(forget=(0,))


def preferred(method: str) -> Params:
    return next(iter(METHODS[method].values.of("mnist", "allcnn-small").values())).params


@pytest.mark.parametrize("method", AXES)
def test_axes_are_parameters_of_the_method(method: str) -> None:
    names = {each.name for each in fields(preferred(method))}
    for axes in AXES[method]:
        assert set(axes) <= names | ({"ratio"} if method == "unroll_of" else set())


@pytest.mark.parametrize("method", AXES)
def test_every_combination_is_tried_once_and_nothing_else_changes(method: str) -> None:
    base = preferred(method)
    tried = list(grid(method, base))
    sizes = []
    for axes in AXES[method]:
        size = 1
        for values in axes.values():
            size *= len(values)
        sizes.append(size)
    assert len(tried) == len(set(tried)) == sum(sizes)
    searched = {"sigma", *(name for axes in AXES[method] for name in axes)}
    for params in tried:
        assert type(params) is type(base)
        for name, value in as_json(params).items():
            assert name in searched or value == as_json(base)[name]


def test_sigma_is_a_ratio_of_eta() -> None:
    (axes,) = AXES["unroll_of"]
    pairs = set()
    for params in grid("unroll_of", UnrollParams(0.5, sigma=0.5, epochs=2)):
        assert isinstance(params, UnrollParams)
        assert params.epochs == 2
        pairs.add((params.learning_rate, params.sigma))
    expected = {(eta, ratio * eta) for eta in axes["learning_rate"] for ratio in axes["ratio"]}
    assert pairs == expected
    assert all(sigma > eta for eta, sigma in pairs)


def test_only_methods_that_see_no_remaining_image_are_searched() -> None:
    assert not {name for name in AXES if METHODS[name].needs_retain}
    rivals = {n for n, method in METHODS.items() if not (method.needs_retain or method.control)}
    # As published, Spotter has not been searched yet.
    assert set(AXES) == rivals - {"original", "spotter"}


@pytest.mark.parametrize("method", ["original", "retrain", "nonsense"])
def test_a_method_without_axes_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match=rf"nothing to search for '{method}'; there is pru, "):
        list(grid(method, NoParams()))


def result(a_f: list[float], a_r: list[float]) -> dict[str, Any]:
    return {"A_f": a_f, "A_r": a_r}


def test_the_rule_weighs_what_is_kept_against_what_comes_back() -> None:
    lasting = result([0, 1, 2, 5], [90, 95, 96, 97])
    hiding = result([0, 99, 98, 97], [97, 98, 99, 99])
    excluded = result([3], [99])
    assert our_score(lasting) == 85
    assert our_score(hiding) == -2
    assert our_score(excluded) == paper_score(excluded) == float("-inf")
    assert paper_score(hiding) == 97
    assert paper_score(lasting) == 90


class Tried:
    """Stands for trying a setting: counts, and is the better the lower the first rate."""

    calls: ClassVar[list[Params]] = []

    def __call__(self, method: str, params: Params, original: Any, material: Any) -> dict[str, Any]:
        self.calls.append(params)
        rate = next(iter(as_json(params).values()))
        return {"params": dict(as_json(params)), **result([0, 0, 0, 0], [100 - rate] * 4)}


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Params]:
    Tried.calls.clear()
    monkeypatch.setattr(module, "gather", lambda scenario, on_validation: FakeMaterial())
    monkeypatch.setattr(module, "obtain_original", lambda scenario, kept: None)
    monkeypatch.setattr(module, "attempt", Tried())
    monkeypatch.setattr(module, "describe", lambda device: "a test")
    return Tried.calls


class FakeMaterial:
    class test:
        class images:
            device = None


def test_the_log_has_all_settings_best_first(tried: list[Params], tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    search(SCENARIO, ("boundary_shrink", "delete"), tmp_path, log)
    content = json.loads(log.read_text())
    assert len(content["tried"]["boundary_shrink"]) == 8
    assert len(content["tried"]["delete"]) == 5
    rates = [each["params"]["learning_rate"] for each in content["tried"]["delete"]]
    assert rates == sorted(rates)
    assert content["chosen"]["delete"] == content["tried"]["delete"][0]["params"]
    assert content["measured_on"] == "validation part"
    # No more epochs than the preset of the scenario allows.
    limit = PRESETS["classroom"].epochs
    assert {as_json(params)["epochs"] for params in tried} == {limit}


def test_a_stopped_search_goes_on(tried: list[Params], tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    search(SCENARIO, ("delete",), tmp_path, log)
    first = log.read_text()
    search(SCENARIO, ("delete",), tmp_path, log)
    assert len(tried) == 5
    assert log.read_text() == first
    search(SCENARIO, ("delete", "salun"), tmp_path, log)
    assert len(tried) == 10


def test_a_log_from_before_a_parameter_existed_is_still_understood(
    tried: list[Params], tmp_path: Path
) -> None:
    committed = ROOT / "benchmarks/results/search-mnist-allcnn-small.json"
    log = tmp_path / "log.json"
    log.write_bytes(committed.read_bytes())
    search(SCENARIO, ("pru", "boundary_shrink"), tmp_path, log)
    assert tried == []


@pytest.mark.usefixtures("one_thread")
def test_relearning_in_the_search_decays_weights_as_in_a_run(
    tiny: Any, monkeypatch: pytest.MonkeyPatch, few: Any
) -> None:
    monkeypatch.setenv("PRU_DEVICE", "cpu")
    material = gather(Scenario(forget_samples=20))
    given: list[float] = []

    def spied(*_: Any, settings: TrainingParams, **__: Any) -> Any:
        given.append(settings.weight_decay)
        return iter(())

    monkeypatch.setattr(module, "relearn", spied)
    monkeypatch.setattr(module, "MAX_A_F", 101.0)
    for model in ("allcnn", "resnet18"):
        scenario = replace(material.scenario, model=model)
        still = PRUParams(0.0, 0.0, epochs=1)
        found = attempt("pru", still, tiny, replace(material, scenario=scenario))
        assert found["params"] == as_json(still)
        assert len(found["A_f"]) == len(found["A_r"]) == 1
    assert given == [1e-4, 5e-4]
