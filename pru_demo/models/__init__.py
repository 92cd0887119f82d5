"""Which networks exist. A new one is one file and one line in :data:`MODELS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pru_demo.data import DatasetSpec
    from pru_demo.models.split import SplitModel


@dataclass(frozen=True)
class ModelSpec:
    """What the application knows of a network without building it."""

    label: str
    description: str
    width: float


MODELS: dict[str, ModelSpec] = {
    "allcnn-small": ModelSpec(
        "AllCNN, a quarter of the width", "102 thousand weights, made for laptops", 0.25
    ),
    "allcnn": ModelSpec("AllCNN", "1.6 million weights, the paper's network", 1.0),
}


def checkpoint_name(dataset: str, model: str, seed: int) -> str:
    """File name of the original network of a trial."""
    return f"{dataset}-{model}-seed{seed}.safetensors"


def build_model(name: str, dataset: DatasetSpec, *, seed: int) -> SplitModel:
    """A freshly initialised network ``name`` for ``dataset``; the same seed gives the same weights.

    The global random state is left as it was.
    """
    import torch

    from pru_demo.models.allcnn import allcnn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return allcnn(
            dataset.channels,
            dataset.image_size,
            len(dataset.class_names),
            width=MODELS[name].width,
        )
