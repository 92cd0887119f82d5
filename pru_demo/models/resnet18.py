"""ResNet18 (He et al., 2016) with the stem that is usual for images of 32 pixels."""

import torch
from torch import nn
from torchvision.models import resnet18 as torchvision_resnet18

from pru_demo.models.split import SplitModel


def resnet18(channels: int, image_size: int, classes: int) -> SplitModel:
    """A 3×3 first convolution of stride 1 and no pooling after it; 512 features.

    The global average adapts to any ``image_size``.
    """
    network = torchvision_resnet18(num_classes=classes)
    for layer in network.modules():
        # torch's own initial weights, with which Retrain starts too, instead of torchvision's.
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()
    network.conv1 = nn.Conv2d(channels, 64, kernel_size=3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    classifier = network.fc
    network.fc = nn.Identity()
    return SplitModel(network, classifier).to(memory_format=torch.channels_last)
