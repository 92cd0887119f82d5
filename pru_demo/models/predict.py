"""Logits over many images, and what share of them is right."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pru_demo.data.samples import as_input
from pru_demo.heartbeat import beat


def measuring_batch(device: torch.device) -> int:
    """How many images to push through a network at once when nothing is learned.

    On a CPU what fits its cache: 100 images at a time ran faster than 500. A GPU wants to be
    filled.
    """
    return 100 if device.type == "cpu" else 2000


def measuring(model: nn.Module, images: Tensor) -> Iterator[Tensor]:
    """Uint8 images (N, C, H, W) as inputs, a batch at a time, with a beat after each.

    Meanwhile ``model`` is in eval mode; its train/eval mode is put back afterwards.
    """
    was_training = model.training
    model.eval()
    try:
        for part in torch.split(images, measuring_batch(images.device)):
            yield as_input(part)
            beat()
    finally:
        model.train(was_training)


@torch.inference_mode()
def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Logits (N, K) float32 of ``model`` in eval mode on uint8 images (N, C, H, W)."""
    return torch.cat([model(x).float() for x in measuring(model, images)])


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of ``images`` classified as ``labels``, in percent."""
    hits = predict(model, images).argmax(1) == labels
    return 100 * hits.float().mean().item()
