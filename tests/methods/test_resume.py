"""A method that goes on from a step's state does what it would have done without stopping."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from pru_demo.data.samples import crop_and_flip
from pru_demo.experiment.run import unlearn
from pru_demo.methods import METHODS
from pru_demo.methods.step import Resume, Step
from pru_demo.models.split import SplitModel
from pru_demo.parameters import Params
from pru_demo.training import ForeignState, restore_training, training_state
from tests.methods.test_registry import SEVERAL, Material, preferred
from tests.same import frozen, same

EPOCHS = 4
RESUMABLE = [name for name, method in METHODS.items() if method.resumable]
every_resumable = pytest.mark.parametrize("name", RESUMABLE)


def longer(name: str) -> Params:
    """Parameters with enough epochs to stop between two of them, momentum included."""
    params = preferred(name)
    assert "epochs" in {each.name for each in fields(params)}
    # SCRUB lets go of the forgotten images half-way, which is where its cost is not linear.
    more = {"epochs": EPOCHS} | ({"forget_epochs": 2} if name == "scrub" else {})
    return replace(params, **more)  # type: ignore[arg-type]


def begin(
    name: str,
    model: SplitModel,
    material: Material,
    resume: Resume | None = None,
    **changes: Any,
) -> Iterator[Step]:
    params = replace(longer(name), **changes)  # type: ignore[arg-type]
    return unlearn(name, model, material, params, resume)  # type: ignore[arg-type]


def kept(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As it is after writing and reading: later steps must not move what was kept."""
    return {tensor: value.detach().clone() for tensor, value in state.items()}


Seen = tuple[int, str, int, dict[str, float], dict[str, Tensor]]


def seen(step: Step) -> Seen:
    return step.epoch, step.phase, step.forward_equivalents, step.losses, frozen(step.model)


@every_resumable
@pytest.mark.parametrize(
    "options", [{}, {"classes": SEVERAL, "augment": crop_and_flip}], ids=["plain", "augmented"]
)
def test_a_resumable_method_ends_as_if_it_had_not_stopped(
    name: str, options: dict[str, Any], tiny: SplitModel, few: Any
) -> None:
    material = Material(few, **options)
    whole, states = [], {}
    for step in begin(name, tiny, material):
        whole.append(seen(step))
        if step.state is not None:
            states[step.epoch] = kept(step.state)
    assert list(states) == list(range(1, EPOCHS + 1)), "the last step of every epoch can be left"
    for epoch, state in states.items():
        torch.manual_seed(epoch)
        resumed = [seen(step) for step in begin(name, tiny, material, Resume(epoch, state))]
        expected = [each for each in whole if each[0] > epoch]
        assert [each[:4] for each in resumed] == [each[:4] for each in expected]
        for got, wanted in zip(resumed, expected, strict=True):
            assert same(got[4], wanted[4])


@pytest.mark.parametrize("name", ["pru", "delete"])
def test_one_that_rehearses_goes_on_with_the_same_pool(
    name: str, tiny: SplitModel, few: Any
) -> None:
    whole, state = [], {}
    for step in begin(name, tiny, Material(few), rehearsal_pool=90):
        whole.append(seen(step))
        if step.epoch == 2 and step.state is not None:
            state = kept(step.state)
    resume = Resume(2, state)
    resumed = [seen(step) for step in begin(name, tiny, Material(few), resume, rehearsal_pool=90)]
    expected = [each for each in whole if each[0] > 2]
    assert [each[:4] for each in resumed] == [each[:4] for each in expected]
    assert same(resumed[-1][4], expected[-1][4])


@pytest.mark.parametrize("name", [name for name in METHODS if name not in RESUMABLE])
def test_what_is_not_resumable_offers_no_state(name: str, tiny: SplitModel, few: Any) -> None:
    steps = unlearn(name, tiny, Material(few), preferred(name))  # type: ignore[arg-type]
    assert all(step.state is None for step in steps)


@every_resumable
def test_the_state_of_another_network_is_refused(name: str, tiny: SplitModel, few: Any) -> None:
    foreign = {"w.extractor.weight": torch.zeros(2)}
    with pytest.raises(ForeignState, match="another network"):
        next(begin(name, tiny, Material(few), Resume(1, foreign)))


def test_momentum_of_another_shape_is_refused(tiny: SplitModel) -> None:
    optimizer = torch.optim.SGD(tiny.parameters(), lr=0.1, momentum=0.9)
    state = {**training_state(tiny), "v.classifier.weight": torch.zeros(1)}
    with pytest.raises(ForeignState, match=r"momentum of classifier\.weight"):
        restore_training(state, tiny, optimizer)
