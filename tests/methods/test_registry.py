"""What holds for every method in the registry, now and later."""

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from pru_demo.data import DATASETS
from pru_demo.data.samples import Augment, crop_and_flip
from pru_demo.experiment.run import unlearn
from pru_demo.heartbeat import listening
from pru_demo.methods import METHODS
from pru_demo.methods.step import ForgetSet, RetainSet, Step
from pru_demo.models import MODELS
from pru_demo.models.split import SplitModel
from pru_demo.parameters import NoParams, Params, PRUParams, RetrainParams, as_json
from tests.same import changed, frozen, same
from tests.spy import Sight, spied

EPOCHS = 2
# They look at no image.
LEARN_NOTHING = {"original", "mask"}
PAIRS = [(dataset, model) for dataset in DATASETS for model in MODELS]
every_method = pytest.mark.parametrize("name", METHODS)
every_setting = pytest.mark.parametrize(
    ("name", "params"),
    [
        pytest.param(name, setting.params, id=f"{name}-{variant}")
        for name, method in METHODS.items()
        for variant, setting in method.values.of("mnist", "allcnn-small").items()
    ],
)


class Material:
    """Few images of the classes 3, 4 and 9; asking for D_r is noticed."""

    def __init__(
        self,
        few: Any,
        seed: int = 7,
        classes: frozenset[int] = frozenset({9}),
        augment: Augment | None = None,
    ) -> None:
        self.forget = ForgetSet(*few(30, sorted(classes)), augment, classes=classes, seed=seed)
        self._others = (*few(80, sorted({3, 4, 9} - classes)), augment)
        self.gave_retain = 0

    def retain(self) -> RetainSet:
        self.gave_retain += 1
        return RetainSet(*self._others)


SEVERAL = frozenset({3, 9})
every_material = pytest.mark.parametrize(
    "material_options",
    [
        pytest.param({"classes": SEVERAL}, id="several classes"),
        pytest.param({"classes": SEVERAL, "augment": crop_and_flip}, id="several augmented"),
    ],
)


def short(params: Params) -> Params:
    """``params`` with few epochs and, where there is a choice, batches small enough for three."""
    names = {each.name for each in fields(params)}
    changes = {"epochs": EPOCHS, "batch_size": 10}
    return replace(params, **{k: v for k, v in changes.items() if k in names})  # type: ignore[arg-type]


def promised(name: str, params: Params) -> int:
    """How often ``name`` says that it yields."""
    epochs: int = getattr(params, "epochs", 0)
    return METHODS[name].steps_per_epoch * epochs


def preferred(name: str) -> Params:
    return short(next(iter(METHODS[name].values.of("mnist", "allcnn-small").values())).params)


def start(name: str, model: SplitModel, material: Material, params: Params) -> Iterator[Step]:
    return unlearn(name, model, material, params)  # type: ignore[arg-type]


@every_setting
def test_a_method_leaves_its_model_its_images_and_the_global_random_state_untouched(
    name: str, params: Params, tiny: SplitModel, few: Any
) -> None:
    material, before = Material(few), frozen(tiny)
    images, state = material.forget.images.clone(), torch.get_rng_state()
    for step in start(name, tiny, material, short(params)):
        assert step.model is not tiny
        assert not changed(before, tiny)
    assert not tiny.training
    assert all(p.grad is None and p.requires_grad for p in tiny.parameters())
    assert torch.equal(images, material.forget.images)
    assert torch.equal(state, torch.get_rng_state())


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
def test_an_entry_is_called_with_what_it_says_and_nothing_else(
    name: str, tiny: SplitModel, few: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[Any, ...]] = []
    fake = SimpleNamespace(run=lambda *arguments: called.append(arguments) or iter(()))
    entry = replace(METHODS[name], entry="tests.fake:run")
    monkeypatch.setitem(METHODS, name, entry)
    monkeypatch.setattr("pru_demo.methods.function_of", lambda _: fake.run)
    list(start(name, tiny, Material(few), preferred(name)))
    assert any(isinstance(each, RetainSet) for each in called[0]) == entry.needs_retain
    assert len(called[0]) == 3 + entry.needs_retain + entry.resumable


@every_method
def test_a_method_yields_as_often_as_its_entry_says(name: str, tiny: SplitModel, few: Any) -> None:
    steps = [
        (step.epoch, step.phase, step.forward_equivalents)
        for step in start(name, tiny, Material(few), preferred(name))
    ]
    assert len(steps) == promised(name, preferred(name))
    costs = [cost for *_, cost in steps]
    assert costs == sorted(set(costs))


@every_material
@every_setting
def test_every_variant_takes_several_classes_and_augmented_images(
    name: str, params: Params, material_options: dict[str, Any], tiny: SplitModel, few: Any
) -> None:
    material, before = Material(few, **material_options), frozen(tiny)
    images, state = material.forget.images.clone(), torch.get_rng_state()
    costs = []
    for step in start(name, tiny, material, short(params)):
        costs.append(step.forward_equivalents)
        assert all(np.isfinite(loss) for loss in step.losses.values())
        with torch.no_grad():
            logits = step.model.eval()(images / 255)
        assert logits.shape == (len(images), 10)
        assert logits.isfinite().all()
    assert len(costs) == promised(name, short(params))
    assert costs == sorted(set(costs))
    assert material.gave_retain == METHODS[name].needs_retain
    assert not changed(before, tiny)
    assert torch.equal(images, material.forget.images)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    "options", [{}, {"classes": SEVERAL, "augment": crop_and_flip}], ids=["plain", "augmented"]
)
@every_method
def test_a_method_is_a_function_of_its_seed(
    name: str, options: dict[str, Any], tiny: SplitModel, few: Any
) -> None:
    def weights(seed: int, noise: int) -> dict[str, Tensor]:
        torch.manual_seed(noise)
        state: dict[str, Tensor] = {}
        for step in start(name, tiny, Material(few, seed, **options), preferred(name)):
            state = frozen(step.model)
        return state

    assert same(weights(7, 0), weights(7, 1))
    if name not in LEARN_NOTHING:
        assert not same(weights(7, 0), weights(8, 0))


# Boundary Shrink knows no augmentation: its labels belong to the images as they are.
IGNORE_AUGMENT = {"boundary_shrink", *LEARN_NOTHING}
# Retrain never looks at what is to be forgotten; its own images are augmented.
NEVER_LOOK = {"retrain", *LEARN_NOTHING}


@every_method
def test_augmentation_reaches_all_methods_that_know_it(
    name: str, tiny: SplitModel, few: Any
) -> None:
    batches = 0

    def count(images: Tensor, generator: torch.Generator) -> Tensor:
        nonlocal batches
        batches += 1
        return crop_and_flip(images, generator)

    list(start(name, tiny, Material(few, augment=count), preferred(name)))
    assert bool(batches) == (name not in IGNORE_AUGMENT)


@every_method
@pytest.mark.parametrize("classes", [frozenset({9}), SEVERAL], ids=["one", "several"])
def test_every_forgotten_image_is_looked_at(
    name: str, classes: frozenset[int], tiny: SplitModel, few: Any
) -> None:
    spy, seen = spied(tiny)
    material = Material(few, classes=classes)
    # Boundary Expanding builds a network of its own around the extractor.
    tiny.extractor.register_forward_pre_hook(
        lambda _, inputs: seen.append(Sight(True, inputs[0].detach().clone()))
    )
    list(start(name, spy, material, preferred(name)))
    shown = {image.contiguous().numpy().tobytes() for sight in seen for image in sight.images}
    wanted = {image.numpy().tobytes() for image in material.forget.images / 255}
    assert wanted <= shown or (name in NEVER_LOOK and not wanted & shown)


class Stop(Exception):
    """As a cancelled job raises it."""


@pytest.mark.parametrize("patience", [1, 3])
@pytest.mark.parametrize("name", [name for name in METHODS if name not in LEARN_NOTHING])
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


@every_method
def test_every_network_has_parameters_for_every_method(name: str) -> None:
    for pair in PAIRS:
        variants = METHODS[name].values.of(*pair)
        assert variants, pair
        for setting in variants.values():
            assert setting.origin
            assert isinstance(setting.params, Params)


def valid(kind: type) -> dict[str, Any]:
    """The smallest value of each bounded parameter."""
    return {
        each.name: each.metadata["bounds"][0] for each in fields(kind) if "bounds" in each.metadata
    }


def test_a_choice_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="c_step_updates must be one of"):
        PRUParams(0.1, 0.1, c_step_updates="typo")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", get_args(Params))
def test_every_number_has_bounds_and_they_are_enforced(kind: type) -> None:
    assert is_dataclass(kind)
    for each in fields(kind):
        if each.type not in (int, float, "int", "float"):
            continue
        low, high = each.metadata["bounds"]
        assert low < high, each.name
        for inside in (low, high):
            kind(**{**valid(kind), each.name: inside})
        for outside in (low - 1, high + 1, float("nan"), float("inf"), float("-inf")):
            with pytest.raises(ValueError, match=f"{each.name} must lie between {low} and {high}"):
                kind(**{**valid(kind), each.name: outside})


def test_defaults_of_pru_are_those_of_the_paper() -> None:
    params = PRUParams(learning_rate_E=5e-3, learning_rate_C=1e-1)
    assert (params.lambda_o, params.lambda_s, params.lp_epsilon) == (1, 1, 0)
    assert (params.c_step_updates, params.batch_norm_updates) == ("classifier", 1)
    assert (params.batch_size, params.momentum, params.weight_decay) == (128, 0.9, 1e-4)


def test_parameters_become_json_by_name() -> None:
    assert as_json(NoParams()) == {}
    params = RetrainParams(learning_rate=0.01, weight_decay=1e-4)
    assert as_json(params) == {
        "learning_rate": 0.01,
        "weight_decay": 1e-4,
        "epochs": 10,
        "batch_size": 64,
        "start": "",
    }
