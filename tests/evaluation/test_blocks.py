"""Blocks: what one point of Figure 3 stands for, in every network there is."""

from collections import Counter

import pytest
from torch import nn

from pru_demo.data import DATASETS
from pru_demo.evaluation.layer_changes import blocks_of, owner_of
from pru_demo.models import MODELS, build_model
from pru_demo.models.split import SplitModel

# Of each network: how many blocks without the classifier.
COUNTS = {"allcnn-small": 8, "allcnn": 8, "resnet18": 9, "vit-small": 8, "vit-b16": 14}


def test_every_network_is_counted_here() -> None:
    assert set(COUNTS) == set(MODELS)


@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
@pytest.mark.parametrize("name", [name for name in MODELS if name != "vit-b16"])
def test_a_normalisation_before_the_network_is_no_block(name: str, dataset: str) -> None:
    blocks = blocks_of(build_model(name, DATASETS[dataset], seed=0))
    assert len(blocks) == COUNTS[name] + 1
    assert blocks[-1].name == "classifier"


@pytest.mark.slow
def test_the_large_transformer_has_twelve_layers_between_patches_and_norm() -> None:
    names = [b.name for b in blocks_of(build_model("vit-b16", DATASETS["cifar10"], seed=0))]
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
