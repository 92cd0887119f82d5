"""What the search tries, how it chooses, and when it gives up."""

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from pru_demo.config import Pick, RunConfig, Scenario, setting_of
from pru_demo.experiment import search as module
from pru_demo.experiment.material import gather
from pru_demo.experiment.search import AXES, BUDGET, TOO_FAR, attempt, grid, score, search
from pru_demo.methods import METHODS
from pru_demo.parameters import NoParams, Params, PRUParams, TrainingParams, UnrollParams

SCENARIO = Scenario()
KNOWN = {"mean": 0.9999, "deviation": 0.0, "reason": ""}
HALF = {"mean": 0.999, "deviation": 0.0, "reason": ""}
NOTHING = {"mean": 0.99, "deviation": 0.0, "reason": ""}
PAR = {"original": KNOWN, "retrain": NOTHING}


def base(pick: str) -> Params:
    return setting_of(RunConfig(SCENARIO, Pick.parse(pick))).params


@pytest.mark.parametrize("pick", AXES)
def test_every_method_has_the_same_number_of_settings_and_nothing_else_changes(pick: str) -> None:
    tried = list(grid(pick, base(pick)))
    assert len(set(tried)) == len(tried) == BUDGET
    searched = {"sigma", *AXES[pick]}
    assert searched - {"sigma", "ratio"} <= {each.name for each in fields(base(pick))}
    for params in tried:
        assert type(params) is type(base(pick))
        for each in fields(params):
            value = getattr(params, each.name)
            assert each.name in searched or value == getattr(base(pick), each.name)


def test_sigma_is_a_ratio_of_eta() -> None:
    axes = AXES["unroll_of:tuned"]
    pairs = set()
    for params in grid("unroll_of:tuned", UnrollParams(0.5, sigma=0.5, epochs=2)):
        assert isinstance(params, UnrollParams)
        assert params.epochs == 2
        pairs.add((params.learning_rate, params.sigma))
    expected = {(eta, ratio * eta) for eta in axes["learning_rate"] for ratio in axes["ratio"]}
    assert pairs == expected
    assert all(sigma > eta for eta, sigma in pairs)


def test_only_methods_that_see_no_remaining_image_are_searched() -> None:
    assert not {pick for pick in AXES if METHODS[Pick.parse(pick).method].needs_retain}


@pytest.mark.parametrize("pick", ["original:paper", "retrain:paper", "nonsense"])
def test_a_variant_without_axes_is_refused(pick: str) -> None:
    with pytest.raises(ValueError, match=rf"nothing to search for '{pick}'; there is pru:"):
        list(grid(pick, NoParams()))


def result(a_f: list[float], a_r: list[float], shots: dict[str, Any] = NOTHING) -> dict[str, Any]:
    return {"A_f": a_f, "A_r": a_r, "five_shots": shots, "failure": None}


def test_the_rule_weighs_what_is_kept_against_what_comes_back_and_what_is_known() -> None:
    assert score(result([0, 1, 2, 5], [90, 95, 96, 97]), PAR) == 85
    assert score(result([0, 99, 98, 97], [97, 98, 99, 99]), PAR) == -2
    assert score(result([3], [99]), PAR) == -math.inf
    broken = {**result([0, 0], [98, 10]), "failure": "its answers are not finite"}
    assert score(broken, PAR) == -math.inf
    assert score(result([0, 0], [98, 98], KNOWN), PAR) == pytest.approx(88)
    assert score(result([0, 0], [98, 98], HALF), PAR) == pytest.approx(93)
    less = {"mean": 0.9, "deviation": 0.0, "reason": ""}
    assert score(result([0, 0], [98, 98], less), PAR) == 98, "less than Retrain is no merit"
    none = {"mean": None, "deviation": None, "reason": "there are no numbers"}
    assert score(result([0, 0], [98, 98], none), PAR) == 98


class Tried:
    """Stands for trying a setting: the better the lower its rate, alike on every class."""

    def __init__(self, points_per_rate: float) -> None:
        self.points_per_rate = points_per_rate
        self.calls: list[tuple[str, int, float]] = []
        self.retrained: list[int] = []

    def attempt(self, pick: str, params: Params, original: Any, material: Any) -> dict[str, Any]:
        rate: float = params.learning_rate  # type: ignore[union-attr]
        self.calls.append((pick, material.scenario.forget[0], rate))
        return result([0, 0, 0], [100 - self.points_per_rate * rate] * 3)

    def par(self, original: Any, material: Any) -> dict[str, Any]:
        self.retrained.append(material.scenario.forget[0])
        return PAR


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Tried:
    tried = Tried(points_per_rate=TOO_FAR / 0.02)
    monkeypatch.setattr(module, "gather", FakeMaterial)
    monkeypatch.setattr(module, "obtain_original", lambda scenario, kept: None)
    monkeypatch.setattr(module, "attempt", tried.attempt)
    monkeypatch.setattr(module, "par", tried.par)
    monkeypatch.setattr(module, "describe", lambda device: "a test")
    return tried


class FakeMaterial:
    def __init__(self, scenario: Scenario, *, on_validation: bool) -> None:
        assert on_validation
        self.scenario = scenario

    class test:
        class images:
            device = None


def test_the_log_has_all_settings_best_first(tried: Tried, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    search(SCENARIO, (0, 3), ("boundary_shrink:tuned", "delete:tuned"), tmp_path, log)
    content = json.loads(log.read_text())
    assert {pick: len(each) for pick, each in content["tried"].items()} == {
        "boundary_shrink:tuned": BUDGET,
        "delete:tuned": BUDGET,
    }
    rates = [each["params"]["learning_rate"] for each in content["tried"]["delete:tuned"]]
    assert rates == sorted(rates)
    assert content["chosen"]["delete:tuned"]["learning_rate"] == rates[0]
    assert content["measured_on"] == "validation part"
    assert content["scenario"]["forget"] == [0, 3]
    assert content["par"] == {"0": PAR, "3": PAR}


def test_what_has_fallen_behind_is_not_tried_on_other_classes(tried: Tried, tmp_path: Path) -> None:
    """At three points per 0.02, rates up to 0.021 are within three points of the best, 0.001."""
    log = tmp_path / "log.json"
    search(SCENARIO, (0, 1, 2), ("delete:tuned",), tmp_path, log)
    on = {c: [rate for _, cls, rate in tried.calls if cls == c] for c in (0, 1, 2)}
    assert len(on[0]) == len(on[1]) == BUDGET, "one class alone decides nothing"
    assert on[2] == [1e-3, 2e-3, 5e-3, 1e-2, 2e-2]
    content = json.loads(log.read_text())["tried"]["delete:tuned"]
    assert [each["given_up"] for each in content] == [False] * 5 + [True] * 3
    assert [list(each["classes"]) for each in content] == [["0", "1", "2"]] * 5 + [["0", "1"]] * 3


def test_a_stopped_search_goes_on(tried: Tried, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    search(SCENARIO, (0,), ("delete:tuned",), tmp_path, log)
    first = log.read_text()
    search(SCENARIO, (0,), ("delete:tuned",), tmp_path, log)
    assert len(tried.calls) == BUDGET
    assert log.read_text() == first
    assert tried.retrained == [0], "par is kept, too"
    search(SCENARIO, (0, 1, 2), ("delete:tuned",), tmp_path, log)
    assert len(tried.calls) == BUDGET + BUDGET + 5


def test_a_search_that_was_stopped_within_a_class_gives_up_as_if_it_had_not(
    tried: Tried, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leader on two classes, whose mean the third lowers, is still the leader on those two."""
    log = tmp_path / "log.json"
    search(SCENARIO, (0, 1), ("delete:tuned",), tmp_path, log)

    results = iter([result([0, 0, 0], [60, 60, 60])])

    def one_more(pick: str, params: Params, original: Any, material: Any) -> dict[str, Any]:
        try:
            return next(results)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(module, "attempt", one_more)
    with pytest.raises(KeyboardInterrupt):
        search(SCENARIO, (0, 1, 2), ("delete:tuned",), tmp_path, log)
    monkeypatch.setattr(module, "attempt", tried.attempt)
    before = len(tried.calls)
    search(SCENARIO, (0, 1, 2), ("delete:tuned",), tmp_path, log)
    assert len(tried.calls) - before == 4


def test_the_log_of_another_scenario_is_refused(tried: Tried, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    search(SCENARIO, (0,), ("delete:tuned",), tmp_path, log)
    with pytest.raises(ValueError, match="the log of another scenario; name another one"):
        search(replace(SCENARIO, seed=8), (0,), ("delete:tuned",), tmp_path, log)


def test_nothing_is_chosen_where_nothing_passes(
    tried: Tried, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "attempt", lambda *given: result([3.0], [99.0]))
    log = tmp_path / "log.json"
    search(SCENARIO, (0, 1), ("delete:tuned",), tmp_path, log)
    content = json.loads(log.read_text())
    assert content["chosen"] == {"delete:tuned": None}
    assert [each["given_up"] for each in content["tried"]["delete:tuned"]] == [False] * BUDGET


def test_a_log_from_before_a_parameter_existed_is_still_understood(
    tried: Tried, tmp_path: Path
) -> None:
    log = tmp_path / "log.json"
    search(SCENARIO, (0,), ("boundary_shrink:tuned",), tmp_path, log)
    content = json.loads(log.read_text())
    for each in content["tried"]["boundary_shrink:tuned"]:
        del each["params"]["exclude_forget"]
    log.write_text(json.dumps(content))
    before = len(tried.calls)
    search(SCENARIO, (0,), ("boundary_shrink:tuned",), tmp_path, log)
    assert len(tried.calls) == before


def test_a_variant_that_this_network_lacks_is_refused_before_anything_is_computed(
    tried: Tried, tmp_path: Path
) -> None:
    other = replace(SCENARIO, model="resnet18")
    with pytest.raises(ValueError, match="no variant 'delete:tuned' for this network"):
        search(other, (0,), ("delete:tuned",), tmp_path, tmp_path / "log.json")
    assert tried.retrained == tried.calls == []


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
        found = attempt("pru:tuned", still, tiny, replace(material, scenario=scenario))
        assert len(found["A_f"]) == len(found["A_r"]) == 1
        assert 0.3 < found["five_shots"]["mean"] <= 1
    assert given == [1e-4, 5e-4]
