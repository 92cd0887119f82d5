"""ResNet18 with the stem for small images."""

import pytest
import torch
from torch import nn

from pru_demo.models.resnet18 import resnet18


def test_it_has_the_size_of_the_released_network() -> None:
    assert sum(p.numel() for p in resnet18(3, 32, 10).parameters()) == 11_173_962


def test_the_stem_keeps_the_size_of_the_image() -> None:
    network = resnet18(3, 32, 10).extractor
    first = network.conv1
    assert isinstance(first, nn.Conv2d)
    assert (first.kernel_size, first.stride, first.padding) == ((3, 3), (1, 1), (1, 1))
    assert first.bias is None
    with torch.no_grad():
        stem = network.maxpool(network.relu(network.bn1(first(torch.rand(1, 3, 32, 32)))))  # type: ignore[operator]
    assert stem.shape == (1, 64, 32, 32)


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32), (3, 64)])
def test_features_are_512_non_negative_averages(channels: int, size: int) -> None:
    model = resnet18(channels, size, 7).eval()
    with torch.no_grad():
        features = model.features(torch.rand(2, channels, size, size))
        logits = model.classify(features)
    assert features.shape == (2, 512)
    assert (features >= 0).all()
    assert logits.shape == (2, 7)


def test_the_extractor_has_no_classifier_left() -> None:
    assert not any(
        isinstance(module, nn.Linear) for module in resnet18(3, 32, 10).extractor.modules()
    )


def test_kernels_start_as_torch_starts_them() -> None:
    for module in resnet18(3, 32, 10).modules():
        if isinstance(module, nn.Conv2d):
            # Uniform within ±1/√fan_in, where torchvision draws from a wide normal distribution.
            bound = module.weight[0].numel() ** -0.5
            assert 0.95 * bound < module.weight.abs().max() <= bound
