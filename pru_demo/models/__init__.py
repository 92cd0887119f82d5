"""Which networks exist. A new one is one file and one line in :data:`MODELS`.

Listing networks needs no torch; building one does.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pru_demo.data import DatasetSpec
    from pru_demo.models.split import SplitModel


@dataclass(frozen=True)
class ModelSpec:
    """What the application knows of a network without building it.

    ``entry`` names a function ``(channels, image_size, classes, **options) -> SplitModel``.
    ``pretrained`` names one that loads the weights from which an original's training starts, for
    networks that do not start at random; such a network also normalises its input itself.
    ``batch_norm``: whether there is any, and so something for the BatchNorm-only control to move.
    """

    label: str
    description: str
    entry: str
    options: Mapping[str, Any] = field(default_factory=dict)
    pretrained: str | None = None
    batch_norm: bool = True


MODELS: dict[str, ModelSpec] = {
    "allcnn-small": ModelSpec(
        "AllCNN, a quarter of the width",
        "102 thousand weights, made for laptops",
        "pru_demo.models.allcnn:allcnn",
        {"width": 0.25},
    ),
    "allcnn": ModelSpec(
        "AllCNN", "1.6 million weights, the paper's network", "pru_demo.models.allcnn:allcnn"
    ),
    "resnet18": ModelSpec(
        "ResNet18",
        "11 million weights, with the stem for small images; wants a GPU",
        "pru_demo.models.resnet18:resnet18",
    ),
    "vit-small": ModelSpec(
        "ViT, small",
        "a vision transformer of 1.2 million weights, trained here; it has no BatchNorm",
        "pru_demo.models.vit:vit_small",
        batch_norm=False,
    ),
    "vit-b16": ModelSpec(
        "ViT-B/16",
        "86 million weights that start from ImageNet; needs a GPU",
        "pru_demo.models.vit:vit_b16",
        pretrained="pru_demo.models.vit:load_imagenet",
        batch_norm=False,
    ),
}


def checkpoint_name(dataset: str, model: str, seed: int) -> str:
    """File name of the original network of a trial."""
    return f"{dataset}-{model}-seed{seed}.safetensors"


def build_model(name: str, dataset: DatasetSpec, *, seed: int) -> SplitModel:
    """A freshly initialised network ``name`` for ``dataset``; the same seed gives the same weights.

    It takes pixels in 0..1: where the data set is published with a normalisation, that is the
    network's first layer, unless pretrained weights want their own. The global random state is left
    as it was.
    """
    import torch

    from pru_demo.models.split import normalised

    spec = MODELS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        build = function_of(spec.entry)
        network: SplitModel = build(
            dataset.channels, dataset.image_size, len(dataset.class_names), **spec.options
        )
    if spec.pretrained or dataset.mean is None or dataset.std is None:
        return network
    return normalised(network, dataset.mean, dataset.std)


def start_pretrained(name: str, network: SplitModel) -> None:
    """Load the weights that the training of ``name`` starts from, if there are such.

    Raises ValueError with a sentence when they cannot be had.
    """
    if entry := MODELS[name].pretrained:
        function_of(entry)(network)


def function_of(entry: str) -> Any:
    """The function that ``package.module:name`` refers to."""
    module, _, function = entry.partition(":")
    return getattr(importlib.import_module(module), function)
