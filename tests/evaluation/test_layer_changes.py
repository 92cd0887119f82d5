"""What one point of Figure 3 stands for, Eq. 6 and BatchNorm's drift, on networks moved by hand."""

import json
import math
from collections import Counter
from dataclasses import asdict

import pytest
import torch
from torch import Tensor, nn

from pru_demo.data import DATASETS
from pru_demo.evaluation.layer_changes import (
    Block,
    batch_norm_drift,
    block_changes,
    blocks_of,
    owner_of,
    tensor_changes,
)
from pru_demo.models import MODELS, build_model
from pru_demo.models.allcnn import allcnn
from pru_demo.models.split import SplitModel
from tests.same import frozen

# Of each network: how many blocks without the classifier.
COUNTS = {"allcnn-small": 8, "allcnn": 8, "resnet18": 9, "vit-small": 8, "vit-b16": 14}


def test_every_network_is_counted_here() -> None:
    assert set(COUNTS) == set(MODELS)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "vit-b16"])
def test_a_normalisation_before_the_network_is_no_block(name: str) -> None:
    for dataset in ("mnist", "cifar10"):
        blocks = blocks_of(build_model(name, DATASETS[dataset], seed=0))
        assert len(blocks) == COUNTS[name] + 1
        assert blocks[-1].name == "classifier"


def test_the_large_transformer_has_twelve_layers_between_patches_and_norm() -> None:
    with torch.device("meta"):
        model = build_model("vit-b16", DATASETS["cifar10"], seed=0)
    blocks = blocks_of(model)
    # What each of them sends on can be listened to.
    assert all(model.get_submodule(block.parts[-1]) for block in blocks)
    names = [block.name for block in blocks]
    assert len(names) == COUNTS["vit-b16"] + 1
    assert sum("encoder_layer" in name for name in names) == 12


@pytest.mark.parametrize("name", ["allcnn-small", "resnet18", "vit-small"])
def test_every_block_owns_parameters_and_no_parameter_two_blocks(name: str) -> None:
    model = build_model(name, DATASETS["cifar10"], seed=0)
    blocks = blocks_of(model)
    parameters = [each for each, _ in model.named_parameters()]
    owners = Counter(owner_of(each, blocks).name for each in parameters)
    assert set(owners) == {block.name for block in blocks}
    for parameter in parameters:
        assert sum(block.has(parameter) for block in blocks) <= 1, parameter


def test_a_convolution_that_stands_alone_goes_with_its_norm() -> None:
    model = build_model("resnet18", DATASETS["mnist"], seed=0)
    stem, first, *_ = blocks_of(model)
    assert stem.has("extractor.conv1.weight")
    assert stem.has("extractor.bn1.bias")
    # What is sent on is what the first residual block gets, not the convolution's output.
    assert stem.parts[-1] == "extractor.maxpool"
    # A residual block is one, its shortcut included.
    third = blocks_of(model)[3]
    assert third.has("extractor.layer2.0.conv1.weight")
    assert third.has("extractor.layer2.0.downsample.0.weight")
    assert not first.has("extractor.layer1.10.conv1.weight")


def test_what_lies_in_no_block_goes_with_the_first() -> None:
    blocks = blocks_of(build_model("vit-small", DATASETS["mnist"], seed=0))
    for parameter in ("extractor.class_token", "extractor.encoder.pos_embedding"):
        assert owner_of(parameter, blocks).name == "extractor.conv_proj"
    assert owner_of("extractor.encoder.ln.weight", blocks).name == "extractor.encoder.ln"


def test_an_extractor_without_blocks_is_one() -> None:
    extractor = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU())
    names = [block.name for block in blocks_of(SplitModel(extractor, nn.Linear(3, 2)))]
    assert names == ["extractor", "classifier"]


State = dict[str, Tensor]

BLOCKS = blocks_of(allcnn(1, 28, 10, width=1 / 24))
MEAN, VARIANCE = "extractor.2.1.running_mean", "extractor.2.1.running_var"


@pytest.fixture
def original() -> State:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return frozen(allcnn(1, 28, 10, width=1 / 24))


@pytest.fixture
def unlearned(original: State) -> State:
    return {name: tensor.clone() for name, tensor in original.items()}


def test_a_network_that_stands_still_has_no_change(original: State) -> None:
    assert {c.relative for c in tensor_changes(original, original)} == {0}
    assert {c.relative for c in block_changes(original, original, BLOCKS)} == {0}
    assert {(d.mean, d.variance) for d in batch_norm_drift(original, original)} == {(0, 0)}


def test_a_doubled_weight_has_changed_by_one(original: State, unlearned: State) -> None:
    unlearned["extractor.4.0.weight"] *= 2
    moved = {c.name: c.relative for c in tensor_changes(unlearned, original) if c.relative}
    assert moved == {"extractor.4.0.weight": pytest.approx(1)}


def test_parameters_come_in_network_order_without_statistics(original: State) -> None:
    names = [c.name for c in tensor_changes(original, original)]
    conv_and_norm = [
        f"extractor.{i}.{part}" for i in range(8) for part in ("0.weight", "1.weight", "1.bias")
    ]
    assert names == [*conv_and_norm, "classifier.weight", "classifier.bias"]


def test_blocks_are_the_eight_convolutions_and_the_classifier(original: State) -> None:
    expected = [*(f"extractor.{i}" for i in range(8)), "classifier"]
    assert [c.name for c in block_changes(original, original, BLOCKS)] == expected


def test_a_block_is_one_vector_of_convolution_and_batch_norm() -> None:
    before = {
        "e.0.0.weight": torch.tensor([[3.0]]),
        "e.0.1.weight": torch.tensor([4.0]),
        "e.0.1.bias": torch.tensor([0.0]),
        "c.weight": torch.tensor([1.0]),
    }
    after = {
        "e.0.0.weight": torch.tensor([[3.0]]),
        "e.0.1.weight": torch.tensor([4.0 + 6.0]),
        "e.0.1.bias": torch.tensor([8.0]),
        "c.weight": torch.tensor([1.5]),
    }
    changes = [
        (c.name, c.relative) for c in block_changes(after, before, [Block(("e.0",)), Block(("c",))])
    ]
    # √(6² + 8²) over √(3² + 4²): not the mean of the tensors' own changes.
    assert changes == [("e.0", pytest.approx(10 / 5)), ("c", pytest.approx(0.5))]


def test_change_is_of_the_weights_only(original: State, unlearned: State) -> None:
    unlearned[MEAN] += 1
    unlearned[VARIANCE] *= 3
    assert {c.relative for c in block_changes(unlearned, original, BLOCKS)} == {0}


def test_what_was_zero_has_no_relative_change_unless_it_stayed(
    original: State, unlearned: State
) -> None:
    # BatchNorm's biases start at zero.
    unlearned["extractor.0.1.bias"] += 0.5
    changes = {c.name: c.relative for c in tensor_changes(unlearned, original)}
    assert changes["extractor.0.1.bias"] is None
    assert changes["extractor.1.1.bias"] == 0


def test_a_diverged_network_has_no_number_and_stays_json(original: State, unlearned: State) -> None:
    for name in ("extractor.2.0.weight", MEAN, VARIANCE):
        unlearned[name][0] = math.nan
    found = [
        *tensor_changes(unlearned, original),
        *block_changes(unlearned, original, BLOCKS),
        *batch_norm_drift(unlearned, original),
    ]
    assert "null" in json.dumps([asdict(each) for each in found], allow_nan=False)


def test_a_mean_moved_by_one_deviation_in_every_channel_has_drifted_by_one(
    original: State, unlearned: State
) -> None:
    original[VARIANCE].fill_(4)
    unlearned[VARIANCE].fill_(4)
    unlearned[MEAN] -= 2
    drifts = {d.name: d for d in batch_norm_drift(unlearned, original)}
    assert list(drifts) == [f"extractor.{i}.1" for i in range(8)]
    assert drifts["extractor.2.1"].mean == pytest.approx(1, abs=1e-5)
    assert drifts["extractor.2.1"].variance == 0
    assert drifts["extractor.3.1"].mean == 0


def test_halved_and_doubled_variances_do_not_cancel(original: State, unlearned: State) -> None:
    channels = len(original[VARIANCE])
    unlearned[VARIANCE][: channels // 2] *= 2
    unlearned[VARIANCE][channels // 2 :] /= 2
    drift = batch_norm_drift(unlearned, original)[2]
    assert drift.variance == pytest.approx(math.log(2), abs=1e-4)
    assert drift.mean == 0


def test_dead_channels_drift_by_a_finite_amount(original: State, unlearned: State) -> None:
    original[VARIANCE].fill_(1)
    unlearned[VARIANCE].zero_()
    drift = batch_norm_drift(unlearned, original)[2]
    assert drift.variance == pytest.approx(math.log(1e5), abs=1e-3)


def test_two_different_networks_are_refused(original: State) -> None:
    other = frozen(allcnn(1, 28, 7, width=1 / 24))
    for measure in (tensor_changes, batch_norm_drift):
        with pytest.raises(ValueError, match="one network"):
            measure(other, original)
    with pytest.raises(ValueError, match="one network"):
        block_changes(other, original, BLOCKS)
