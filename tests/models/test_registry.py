"""The networks have the shape of the paper's, and are built the same every time."""

import pytest
import torch

from pru_demo.data import DATASETS
from pru_demo.models import MODELS, build_model
from pru_demo.models.allcnn import allcnn
from tests.same import frozen, same

MNIST = DATASETS["mnist"]


@pytest.mark.parametrize(("name", "count"), [("allcnn", 1_618_282), ("allcnn-small", 102_178)])
def test_parameter_counts(name: str, count: int) -> None:
    model = build_model(name, MNIST, seed=7)
    assert sum(p.numel() for p in model.parameters()) == count


def test_three_channels_give_the_count_of_the_released_network() -> None:
    assert sum(p.numel() for p in allcnn(3, 32, 10).parameters()) == 1_620_010


@pytest.mark.parametrize(("name", "size"), [("allcnn", 192), ("allcnn-small", 48)])
def test_features_are_non_negative_vectors(name: str, size: int) -> None:
    model = build_model(name, MNIST, seed=7).eval()
    with torch.no_grad():
        features = model.features(torch.rand(2, 1, 28, 28))
        logits = model.classify(features)
    assert features.shape == (2, size)
    assert (features >= 0).all()
    assert logits.shape == (2, 10)


def test_colour_images_of_32_pixels_fit_too() -> None:
    with torch.no_grad():
        assert allcnn(3, 32, 7, width=0.25).eval()(torch.rand(2, 3, 32, 32)).shape == (2, 7)


def test_convolutions_have_no_bias() -> None:
    model = build_model("allcnn-small", MNIST, seed=7)
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 8
    assert all(m.bias is None for m in convolutions)


@pytest.mark.parametrize("name", MODELS)
def test_initial_weights_depend_on_the_seed_only(name: str) -> None:
    before = torch.get_rng_state()
    one = frozen(build_model(name, MNIST, seed=7))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(123)
    assert same(one, frozen(build_model(name, MNIST, seed=7)))
    assert not same(one, frozen(build_model(name, MNIST, seed=8)))
