"""The controls leave perception alone: one covers the answer, one trains nothing but it."""

from collections.abc import Collection
from dataclasses import replace

import pytest
import torch
from torch import nn

import pru_demo
from pru_demo.data.samples import as_input
from pru_demo.evaluation.relearning import relearn
from pru_demo.methods import METHODS
from pru_demo.methods.controls import head_only, mask, masked
from pru_demo.methods.losses import redistribute
from pru_demo.methods.step import ForgetSet, RetainSet
from pru_demo.models.predict import accuracy, predict
from pru_demo.models.split import SplitModel
from pru_demo.parameters import FineTuningParams, MaskParams, TrainingParams
from pru_demo.settings import HEAD_ONLY
from tests.same import changed, frozen

LAST_LAYER = {"classifier.weight", "classifier.bias"}


def test_the_controls_are_these_and_come_last() -> None:
    names = list(METHODS)
    assert [name for name in names if METHODS[name].control] == names[-2:] == ["mask", "head_only"]
    for name in names[-2:]:
        assert list(METHODS[name].values.of("mnist", "allcnn-small")) == ["default"]


@pytest.mark.parametrize("classes", [{7}, {3, 7}])
def test_the_mask_is_a_bias_and_nothing_else(tiny: SplitModel, classes: Collection[int]) -> None:
    covered, columns = masked(tiny, classes, -20.0), sorted(classes)
    assert changed(frozen(tiny), covered) == LAST_LAYER
    assert not covered.classifier.weight[columns].any()
    assert covered.classifier.bias[columns].tolist() == [-20.0] * len(columns)
    others = [c for c in range(10) if c not in classes]
    for name in ("weight", "bias"):
        before, after = (getattr(model.classifier, name)[others] for model in (tiny, covered))
        assert torch.equal(before, after)


def test_the_mask_answers_as_the_original_with_the_class_masked(
    tiny: SplitModel, sevens: ForgetSet, others: RetainSet
) -> None:
    (step,) = mask(tiny, sevens, MaskParams())
    images = torch.cat([sevens.images, others.images])
    answers = predict(step.model, images).softmax(1)
    torch.testing.assert_close(answers, redistribute(predict(tiny, images), {7}))
    assert accuracy(tiny, sevens.images, sevens.labels) > 70
    assert accuracy(step.model, sevens.images, sevens.labels) == 0
    assert (step.epoch, step.forward_equivalents, step.losses, step.state) == (1, 0, {}, None)


def test_relearning_the_others_does_not_uncover_what_is_seen(
    tiny: SplitModel, sevens: ForgetSet, others: RetainSet
) -> None:
    """The planted case: A_f stays at 0, and the class is seen as the original sees it."""
    covered = masked(tiny, {7}, -20.0)
    settings = TrainingParams(epochs=3, learning_rate=1e-3, weight_decay=1e-4)
    for relearned in relearn(covered, others, seed=7, settings=settings):
        assert accuracy(relearned.model, sevens.images, sevens.labels) == 0
    x = as_input(sevens.images)
    assert torch.equal(covered.features(x), tiny.features(x))


def test_a_last_layer_without_biases_gets_some(tiny: SplitModel, sevens: ForgetSet) -> None:
    layer = nn.Linear(16, 10, bias=False)
    # Where all logits are negative, a row of zeros alone would win.
    layer.weight.data = -tiny.classifier.weight.data.abs()
    network = SplitModel(tiny.extractor, layer)
    covered = masked(network, {7}, -20.0)
    assert covered.classifier.bias.tolist() == [0.0] * 7 + [-20.0] + [0.0] * 2
    assert accuracy(covered, sevens.images, sevens.labels) == 0
    assert layer.bias is None


def test_a_network_of_ones_own_is_masked_too() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 8), nn.ReLU(), nn.Linear(8, 10, bias=False)
    )
    images = torch.randint(0, 256, (4, 1, 28, 28), dtype=torch.uint8)
    result = pru_demo.unlearn(network, images, torch.full((4,), 9), forget={9}, method="mask")
    assert result.model(as_input(images))[:, 9].tolist() == [-20.0] * 4


PARAMS = FineTuningParams(learning_rate=0.1, epochs=4, batch_size=20)


def test_head_only_moves_the_last_layer_and_nothing_else(
    tiny: SplitModel, sevens: ForgetSet
) -> None:
    before, losses = frozen(tiny), []
    for step in head_only(tiny, sevens, PARAMS):
        # Running statistics of BatchNorm are among what stands still.
        assert changed(before, step.model) == LAST_LAYER
        losses.append(step.losses["L_p"])
    assert losses[-1] < losses[0] / 10
    assert accuracy(step.model, sevens.images, sevens.labels) < 10


def test_one_batch_is_one_step_down_l_p(tiny: SplitModel, sevens: ForgetSet) -> None:
    one = replace(PARAMS, epochs=1, batch_size=48)
    (step,) = head_only(tiny, sevens, one)
    with torch.no_grad():
        features = tiny.features(as_input(sevens.images))
        p = tiny.classify(features).softmax(1)
        target = redistribute(tiny.classify(features), {7})
    # The gradient of KL(p̃ ‖ p̂) in the logits is p̂ − p̃.
    slope = (p - target) / len(sevens)
    moved = {name: tiny.classifier.get_parameter(name) for name in ("weight", "bias")}
    for name, gradient in (("weight", slope.T @ features), ("bias", slope.sum(0))):
        expected = moved[name] - 0.1 * gradient
        torch.testing.assert_close(step.model.classifier.get_parameter(name), expected)


def test_what_head_only_leaves_can_relearn_everywhere(
    tiny: SplitModel, sevens: ForgetSet, others: RetainSet
) -> None:
    *_, step = head_only(tiny, sevens, PARAMS)
    settings = TrainingParams(epochs=1, learning_rate=1e-2, weight_decay=0.0)
    (relearned,) = relearn(step.model, others, seed=7, settings=settings)
    assert len(changed(frozen(step.model), relearned.model)) == len(step.model.state_dict())


def test_the_costs_are_those_of_passes_through_the_extractor(
    tiny: SplitModel, sevens: ForgetSet
) -> None:
    costs = [step.forward_equivalents for step in head_only(tiny, sevens, PARAMS)]
    assert costs == [48 * (1 + epoch) for epoch in (1, 2, 3, 4)]


def test_head_only_has_one_rate_everywhere() -> None:
    assert HEAD_ONLY.of("cifar10", "resnet18")["default"].params == FineTuningParams(1e-2)
