"""A shadow class is added, taught, and cut off again."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pru_demo.methods import boundary_expanding as module
from pru_demo.methods.boundary_expanding import boundary_expanding, pruned, widened
from pru_demo.methods.step import ForgetSet
from pru_demo.models.split import SplitModel
from pru_demo.parameters import BoundaryExpandingParams
from tests.conftest import make_tiny_model
from tests.same import changed, frozen, same

PARAMS = BoundaryExpandingParams(learning_rate=0.05, epochs=3, batch_size=20)
WEIGHTS_E = {"extractor.0.weight", "extractor.1.weight", "extractor.1.bias"}
CLASSIFIER = {"classifier.weight", "classifier.bias"}


def without_bias(model: SplitModel) -> SplitModel:
    head = nn.Linear(16, 10, bias=False)
    with torch.no_grad():
        head.weight.copy_(model.classifier.weight)
    return SplitModel(model.extractor, head).eval()


def test_the_widened_network_gives_the_known_logits_and_one_more(tiny: SplitModel) -> None:
    x = torch.rand(5, 1, 28, 28)
    logits = widened(tiny, 7).eval()(x)
    assert logits.shape == (5, 11)
    torch.testing.assert_close(logits[:, :10], tiny(x), rtol=0, atol=1e-6)


def test_widening_and_pruning_untrained_gives_the_original_bit_by_bit(tiny: SplitModel) -> None:
    back = pruned(widened(tiny, 7)).eval()
    assert same(frozen(back), frozen(tiny))
    x = torch.rand(5, 1, 28, 28)
    assert torch.equal(back(x), tiny(x))


def test_a_classifier_without_bias_stays_without(tiny: SplitModel, nines: ForgetSet) -> None:
    bare = without_bias(tiny)
    assert widened(bare, 7).classifier.bias is None
    assert same(frozen(pruned(widened(bare, 7))), frozen(bare))
    *_, last = boundary_expanding(bare, nines, PARAMS)
    assert frozen(last.model).keys() == frozen(bare).keys()


def test_the_shadow_starts_from_the_seed_at_the_size_of_xavier(tiny: SplitModel) -> None:
    rows = torch.stack([widened(tiny, seed).classifier.weight[10] for seed in range(100)])
    assert rows.std().item() == pytest.approx((2 / (16 + 11)) ** 0.5, rel=0.1)
    assert torch.equal(rows[7], widened(tiny, 7).classifier.weight[10])
    assert widened(tiny, 7).classifier.bias[10] == 0


def test_the_widened_network_shares_no_tensor_with_the_original(tiny: SplitModel) -> None:
    before = frozen(tiny)
    with torch.no_grad():
        for tensor in widened(tiny, 7).state_dict().values():
            tensor.zero_()
    assert not changed(before, tiny)


def test_learning_rate_zero_changes_only_batch_norm_buffers(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    before = frozen(tiny)
    for step in boundary_expanding(tiny, nines, replace(PARAMS, learning_rate=0.0)):
        assert all("running" in name or "tracked" in name for name in changed(before, step.model))


def test_steps_show_the_pruned_network(tiny: SplitModel, nines: ForgetSet) -> None:
    states = [frozen(tiny)]
    for step in boundary_expanding(tiny, nines, PARAMS):
        assert step.model.classifier.out_features == 10
        assert step.model.eval()(nines.images / 255).shape == (48, 10)
        states.append(frozen(step.model))
    assert len(states) == 4
    for before, after in pairwise(states):
        names = {name for name in before if not torch.equal(before[name], after[name])}
        assert names >= WEIGHTS_E | CLASSIFIER


def test_images_are_taught_to_belong_to_the_shadow(tiny: SplitModel, nines: ForgetSet) -> None:
    one_batch = replace(PARAMS, batch_size=48)
    first, *_, last = boundary_expanding(tiny, nines, one_batch)
    shadow = torch.full((48,), 10)
    expected = F.cross_entropy(widened(tiny, 7).train()(nines.images / 255), shadow)
    assert first.losses == {"cross-entropy": pytest.approx(expected.item(), rel=1e-4)}
    assert last.losses["cross-entropy"] < first.losses["cross-entropy"]


def test_there_is_a_shadow_after_as_many_classes_as_a_byte_can_name(nines: ForgetSet) -> None:
    assert nines.labels.dtype == torch.uint8
    *_, last = boundary_expanding(make_tiny_model(classes=256), nines, PARAMS)
    assert last.model.classifier.out_features == 256
    assert last.losses["cross-entropy"] < math.log(257)


def test_the_shadow_is_trained_before_it_is_cut_off(
    tiny: SplitModel, nines: ForgetSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    biases = []
    monkeypatch.setattr(
        module,
        "pruned",
        lambda model: biases.append(model.classifier.bias[10].item()) or pruned(model),
    )
    list(boundary_expanding(tiny, nines, PARAMS))
    assert biases == sorted(biases)
    assert biases[0] > 0


def test_cost_is_three_passes_per_epoch(tiny: SplitModel, nines: ForgetSet) -> None:
    costs = [step.forward_equivalents for step in boundary_expanding(tiny, nines, PARAMS)]
    assert costs == [48 * 3, 48 * 6, 48 * 9]
