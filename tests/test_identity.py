"""What a run is: the resolved values on which its result depends, whatever they are called."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest

from pru_demo import config as module
from pru_demo import settings
from pru_demo.config import Pick, RunConfig, Scenario, runs_of, setting_of
from pru_demo.methods import METHODS
from pru_demo.parameters import PRUParams, as_json
from pru_demo.settings import PRESETS, Setting, Values

RUN = RunConfig(Scenario(), Pick("pru", "tuned"))


def written(config: RunConfig, params: Mapping[str, Any] | None = None) -> str:
    """An identity as a store key hashes it."""
    return json.dumps(config.identity(params), sort_keys=True)


def on(**changes: Any) -> RunConfig:
    return replace(RUN, scenario=replace(RUN.scenario, **changes))


def with_values(monkeypatch: pytest.MonkeyPatch, params: PRUParams) -> None:
    """PRU has ``params`` under two names."""
    variants = {name: Setting(params, f"a test, {name}") for name in ("tuned", "other")}
    pru = replace(METHODS["pru"], values=Values({("*", "*"): variants}))
    monkeypatch.setitem(METHODS, "pru", pru)


def other_than(value: Any, name: str) -> Any:
    """Another value of the same field, within its bounds."""
    choices = {each.name: each.metadata.get("choices") for each in fields(PRUParams)}[name]
    if choices:
        return next(each for each in choices if each != value)
    low, high = next(f.metadata["bounds"] for f in fields(PRUParams) if f.name == name)
    return low if value != low else high


def test_equal_parameters_are_equal_runs_whatever_they_are_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_values(monkeypatch, PRUParams(1e-2, 1e-3))
    assert written(RUN) == written(replace(RUN, pick=Pick("pru", "other")))


@pytest.mark.parametrize(
    "changes", [{"max_batch": 4096}, {"forget_samples": 1280}, {"forget_samples": 100_000}]
)
def test_a_limit_that_limits_nothing_is_the_same_run(changes: dict[str, int]) -> None:
    assert written(on(**changes)) == written(RUN)


def test_a_preset_is_what_it_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = replace(PRESETS["classroom"], label="Other", description="under another name")
    monkeypatch.setitem(PRESETS, "renamed", renamed)
    assert written(on(preset="renamed")) == written(RUN)


@pytest.mark.parametrize("name", [each.name for each in fields(PRUParams)])
def test_a_changed_parameter_is_another_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a pool nothing else of rehearsal counts.
    params = PRUParams(1e-2, 1e-3, epochs=3, rehearsal_pool=90)
    with_values(monkeypatch, params)
    before = written(RUN)
    with_values(monkeypatch, replace(params, **{name: other_than(getattr(params, name), name)}))
    assert written(RUN) != before


def test_without_a_pool_the_rest_of_rehearsal_is_no_other_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    params = PRUParams(1e-2, 1e-3)
    with_values(monkeypatch, params)
    before = written(RUN)
    with_values(monkeypatch, replace(params, rehearsal_share=0.7, rehearsal_balanced=False))
    assert written(RUN) == before
    assert "rehearsal" not in before


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": "cifar10"},
        {"model": "allcnn"},
        {"forget": (8,)},
        {"forget": (8, 9)},
        {"preset": "full"},
        {"seed": 8},
        {"given": "D_f_new"},
        {"forget_samples": 100},
        {"original": "ab" * 32},
        {"relearn_epochs": 20},
        {"max_batch": 32},
    ],
    ids=str,
)
def test_a_changed_field_is_another_run(changes: dict[str, Any]) -> None:
    # A variant that every scenario has, with the values of none in particular.
    base = replace(RUN, pick=Pick("pru", "paper"))
    params = as_json(setting_of(base).params)
    changed = replace(base, scenario=replace(base.scenario, **changes))
    if "max_batch" in changes:
        assert written(changed) != written(base)
    else:
        assert written(changed, params) != written(base, params)


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 2},
        {"forget_samples": 1279},
        {"relearn_samples": 1279},
        {"relearn_samples": None},
        {"whole_test_part": True},
    ],
    ids=str,
)
def test_a_changed_preset_is_another_run(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(RUN)
    monkeypatch.setitem(PRESETS, "classroom", replace(PRESETS["classroom"], **changes))
    assert written(RUN) != before


@pytest.mark.parametrize("name", ["learning_rate", "momentum", "batch_size"])
def test_a_changed_setting_of_relearning_is_another_run(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(RUN)
    changed = replace(settings.RELEARNING, **{name: getattr(settings.RELEARNING, name) / 2})
    monkeypatch.setattr(module, "RELEARNING", changed)
    assert written(RUN) != before


def test_a_changed_weight_decay_of_the_original_is_another_relearning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = written(RUN)
    row = settings.ORIGINALS["mnist", "*"]
    changed = replace(row, params=replace(row.params, weight_decay=1e-3))
    monkeypatch.setitem(settings.ORIGINALS, ("mnist", "*"), changed)
    assert written(RUN) != before


def test_whole_numbers_are_written_the_same_with_and_without_a_point() -> None:
    params = as_json(setting_of(RUN).params)
    as_floats = {k: float(v) if type(v) is int else v for k, v in params.items()}
    assert written(RUN, params) == written(RUN, as_floats) == written(RUN)


def test_what_an_older_record_was_made_with_counts_and_not_what_its_variant_has_now() -> None:
    params = {**as_json(setting_of(RUN).params), "epochs": 1}
    assert RUN.identity(params)["params"]["epochs"] == 1
    assert written(RUN, params) != written(RUN)
    gone = replace(RUN, pick=Pick("pru", "gone"))
    assert written(gone, params) == written(RUN, params)


def test_runs_with_one_identity_have_equal_parameters() -> None:
    by_identity: dict[str, Any] = {}
    for config in runs_of(RUN.scenario):
        params = setting_of(config).params
        assert by_identity.setdefault(written(config), params) == params
    assert len(by_identity) > len(METHODS)
