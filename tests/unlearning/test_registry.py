"""What holds for every method in the registry, now and later."""

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from pru_demo.data import DATASETS
from pru_demo.heartbeat import listening
from pru_demo.models import MODELS
from pru_demo.models.split import SplitModel
from pru_demo.runs.pipeline import unlearn
from pru_demo.unlearning import METHODS
from pru_demo.unlearning.parameters import NoParams, Params, PRUParams, RetrainParams, as_json
from pru_demo.unlearning.step import ForgetSet, RetainSet, Step
from tests.same import changed, frozen, same

EPOCHS = 2
PAIRS = [(dataset, model) for dataset in DATASETS for model in MODELS]
every_method = pytest.mark.parametrize("name", METHODS)
every_setting = pytest.mark.parametrize(
    ("name", "params"),
    [
        pytest.param(name, setting.params, id=f"{name}-{'-'.join(pair)}-{variant}")
        for name, method in METHODS.items()
        for pair, variants in method.parameters.items()
        for variant, setting in variants.items()
    ],
)


class Material:
    """Three classes of few images; asking for D_r is noticed."""

    def __init__(self, few: Any, seed: int = 7) -> None:
        self.forget = ForgetSet(*few(30, (9,)), frozenset({9}), seed)
        self._others = few(80, (3, 4))
        self.gave_retain = 0

    def retain(self) -> RetainSet:
        self.gave_retain += 1
        return RetainSet(*self._others)


def short(params: Params) -> Params:
    """``params`` with few epochs and, where there is a choice, batches small enough for three."""
    names = {each.name for each in fields(params)}
    changes = {"epochs": EPOCHS, "batch_size": 10}
    return replace(params, **{k: v for k, v in changes.items() if k in names})  # type: ignore[arg-type]


def preferred(name: str) -> Params:
    return short(next(iter(next(iter(METHODS[name].parameters.values())).values())).params)


def start(name: str, model: SplitModel, material: Material, params: Params) -> Iterator[Step]:
    return unlearn(name, model, material, params)  # type: ignore[arg-type]


@every_setting
def test_a_method_leaves_its_model_and_images_untouched(
    name: str, params: Params, tiny: SplitModel, few: Any
) -> None:
    material, before = Material(few), frozen(tiny)
    images = material.forget.images.clone()
    for step in start(name, tiny, material, short(params)):
        assert step.model is not tiny
        assert not changed(before, tiny)
    assert not tiny.training
    assert torch.equal(images, material.forget.images)


@every_method
def test_a_method_sees_remaining_data_only_if_its_entry_says_so(
    name: str, tiny: SplitModel, few: Any
) -> None:
    material = Material(few)
    list(start(name, tiny, material, preferred(name)))
    assert material.gave_retain == METHODS[name].needs_retain
    module, _, function = METHODS[name].entry.partition(":")
    signature = inspect.signature(getattr(importlib.import_module(module), function))
    assert ("retain" in signature.parameters) == METHODS[name].needs_retain


@every_method
def test_an_entry_without_need_is_called_with_three_arguments(
    name: str, tiny: SplitModel, few: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[Any, ...]] = []
    fake = SimpleNamespace(run=lambda *arguments: called.append(arguments) or iter(()))
    entry = replace(METHODS[name], entry="tests.fake:run")
    monkeypatch.setitem(METHODS, name, entry)
    monkeypatch.setattr("pru_demo.runs.pipeline.importlib.import_module", lambda _: fake)
    list(start(name, tiny, Material(few), preferred(name)))
    assert any(isinstance(each, RetainSet) for each in called[0]) == entry.needs_retain
    assert len(called[0]) == 3 + entry.needs_retain


@every_method
def test_a_method_yields_as_often_as_its_entry_says(name: str, tiny: SplitModel, few: Any) -> None:
    steps = [
        (step.epoch, step.phase, step.forward_equivalents)
        for step in start(name, tiny, Material(few), preferred(name))
    ]
    assert len(steps) == METHODS[name].steps_per_epoch * EPOCHS
    costs = [cost for *_, cost in steps]
    assert costs == sorted(set(costs))


@every_method
def test_a_method_is_a_function_of_its_seed(name: str, tiny: SplitModel, few: Any) -> None:
    def weights(seed: int, noise: int) -> dict[str, Tensor]:
        torch.manual_seed(noise)
        state: dict[str, Tensor] = {}
        for step in start(name, tiny, Material(few, seed), preferred(name)):
            state = frozen(step.model)
        return state

    assert same(weights(7, 0), weights(7, 1))
    if METHODS[name].steps_per_epoch:
        assert not same(weights(7, 0), weights(8, 0))


class Stop(Exception):
    """As a cancelled job raises it."""


@pytest.mark.parametrize("patience", [1, 3])
@pytest.mark.parametrize("name", [n for n, method in METHODS.items() if method.steps_per_epoch])
def test_a_raising_listener_stops_a_method_at_that_beat(
    name: str, patience: int, tiny: SplitModel, few: Any
) -> None:
    beats = 0

    def stop() -> None:
        nonlocal beats
        beats += 1
        if beats >= patience:
            raise Stop

    steps = start(name, tiny, Material(few), preferred(name))
    with listening(stop), pytest.raises(Stop):
        list(steps)
    assert beats == patience


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@every_method
def test_every_network_has_parameters_for_every_method(name: str, pair: tuple[str, str]) -> None:
    variants = METHODS[name].parameters[pair]
    assert variants
    for setting in variants.values():
        assert setting.origin
        assert isinstance(setting.params, Params)


BOUNDED = [
    (kind, each.name, *each.metadata["bounds"])
    for kind in get_args(Params)
    for each in fields(kind)
    if "bounds" in each.metadata
]


def valid(kind: type) -> dict[str, Any]:
    """The smallest value of each bounded parameter."""
    return {
        each.name: each.metadata["bounds"][0] for each in fields(kind) if "bounds" in each.metadata
    }


def test_a_choice_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="c_step_updates must be one of"):
        PRUParams(0.1, 0.1, c_step_updates="typo")  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "name", "low", "high"), BOUNDED)
def test_bounds_are_enforced(kind: type, name: str, low: float, high: float) -> None:
    for inside in (low, high):
        kind(**{**valid(kind), name: inside})
    for outside in (low - 1, high + 1, float("nan"), float("inf"), float("-inf")):
        with pytest.raises(ValueError, match=rf"{name} must lie between {low} and {high}"):
            kind(**{**valid(kind), name: outside})


@pytest.mark.parametrize("kind", get_args(Params))
def test_every_number_of_a_method_has_bounds(kind: type) -> None:
    assert is_dataclass(kind)
    for each in fields(kind):
        if each.type in (int, float, "int", "float"):
            low, high = each.metadata["bounds"]
            assert low < high, each.name


def test_defaults_of_pru_are_those_of_the_paper() -> None:
    params = PRUParams(learning_rate_E=5e-3, learning_rate_C=1e-1)
    assert (params.lambda_o, params.lambda_s, params.lp_epsilon) == (1, 1, 0)
    assert (params.c_step_updates, params.batch_norm_updates) == ("classifier", 1)
    assert (params.batch_size, params.momentum, params.weight_decay) == (128, 0.9, 1e-4)


def test_parameters_become_json_by_name() -> None:
    assert as_json(NoParams()) == {}
    params = RetrainParams(learning_rate=0.01, weight_decay=1e-4)
    assert as_json(params) == {"learning_rate": 0.01, "weight_decay": 1e-4, "epochs": 10}
