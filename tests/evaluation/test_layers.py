"""Eq. 6 and the drift of running statistics, on networks moved by hand."""

import json
import math
from dataclasses import asdict

import pytest
import torch
from torch import Tensor

from pru_demo.evaluation.layer_changes import (
    Block,
    batch_norm_drift,
    block_changes,
    blocks_of,
    tensor_changes,
)
from pru_demo.models.allcnn import allcnn
from tests.same import frozen

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
