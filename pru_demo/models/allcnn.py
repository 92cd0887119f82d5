"""All-convolutional network (Springenberg et al., 2015) in the shape of the released PRU code."""

import torch
from torch import nn

from pru_demo.models.split import SplitModel


def allcnn(channels: int, image_size: int, classes: int, *, width: float = 1.0) -> SplitModel:
    """Build an AllCNN for square images.

    ``width`` scales the 96/192 channels of the paper. The extractor ends in a global average, so
    features are non-negative vectors of ``192 * width`` numbers.
    """
    narrow, wide = round(96 * width), round(192 * width)
    extractor = nn.Sequential(
        _block(channels, narrow),
        _block(narrow, narrow),
        _block(narrow, wide, stride=2),
        _block(wide, wide),
        _block(wide, wide),
        _block(wide, wide, stride=2),
        _block(wide, wide),
        _block(wide, wide, kernel=1),
        nn.AvgPool2d(image_size // 4),
        nn.Flatten(),
    )
    model = SplitModel(extractor, nn.Linear(wide, classes))
    # Half as fast again as the default layout on the CPUs we measured.
    return model.to(memory_format=torch.channels_last)


def _block(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
