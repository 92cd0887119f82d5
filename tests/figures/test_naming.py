"""Every layer of every network has a name that a student can read, and no two the same."""

import pytest

from pru_demo.data import DATASETS
from pru_demo.evaluation.layer_changes import batch_norm_drift, blocks_of
from pru_demo.figures.naming import layer_names
from pru_demo.models import MODELS, build_model

SMALL = [name for name in MODELS if name != "vit-b16"]


@pytest.mark.parametrize("model", SMALL)
def test_no_layer_keeps_the_name_that_torch_gave_it(model: str) -> None:
    networks = [build_model(model, DATASETS[name], seed=0) for name in ("mnist", "cifar10")]
    states = [network.state_dict() for network in networks]
    for modules in (
        *([block.name for block in blocks_of(network)] for network in networks),
        *([drift.name for drift in batch_norm_drift(state, state)] for state in states),
    ):
        names = layer_names(modules, model)
        assert len(set(names)) == len(names)
        assert [name for name in names if "extractor" in name or "_" in name] == []


@pytest.mark.parametrize("nested", ["", "1."])
def test_a_convolution_and_its_norm_have_one_number(nested: str) -> None:
    blocks = [*(f"extractor.{nested}{i}" for i in range(8)), "features", "classifier"]
    norms = [f"extractor.{nested}{i}.1" for i in range(8)]
    numbered = [f"conv {i}" for i in range(1, 9)]
    assert layer_names(blocks, "allcnn") == [*numbered, "features", "classifier"]
    assert layer_names(norms, "allcnn-small") == numbered


def test_blocks_of_other_networks_are_named_by_place() -> None:
    named = {
        "extractor.conv1": "stem",
        "extractor.1.bn1": "stem",
        "extractor.layer2.0": "block 2.1",
        "extractor.1.layer2.1.bn2": "block 2.2, norm 2",
        "extractor.layer3.0.downsample.1": "block 3.1, shortcut",
        "extractor.2.encoder.layers.encoder_layer_11": "layer 12",
        "extractor.encoder.ln": "last norm",
        "extractor.conv_proj": "patches",
        "features": "features",
        "classifier": "classifier",
        "extractor.something.else": "something.else",
    }
    assert layer_names(named, "another") == list(named.values())
