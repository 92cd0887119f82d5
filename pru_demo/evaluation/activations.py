"""What every block of a network sends on, for the same images: one vector per image and block."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pru_demo.data.dataset import as_input
from pru_demo.evaluation.accuracy import measuring_batch
from pru_demo.evaluation.blocks import blocks_of
from pru_demo.heartbeat import beat
from pru_demo.models.split import SplitModel

# e, the input of the classifier: what the extractor as a whole sends on.
FEATURES = "features"

Activations = dict[str, NDArray[np.float32]]


def activations(model: SplitModel, images: Tensor) -> Activations:
    """Outputs (n, channels) of ``model`` in eval mode on uint8 images (n, C, H, W), by block.

    Network order, with the features before the classifier, whose output is the logits. Feature
    maps are averaged over the image, a transformer's tokens over all of them. The train/eval mode
    of ``model`` is put back afterwards, and nothing of the listening stays in it.
    """
    *extractor, classifier = blocks_of(model)
    places = [(block.name, block.parts[-1]) for block in extractor]
    places += [(FEATURES, "extractor"), (classifier.name, classifier.parts[-1])]
    seen: dict[str, list[Tensor]] = {name: [] for name, _ in places}
    was_training, hooks = model.training, []
    model.eval()
    try:
        for name, path in places:
            listener = _into(seen[name])
            hooks.append(model.get_submodule(path).register_forward_hook(listener))
        with torch.inference_mode():
            for part in torch.split(images, measuring_batch(images.device)):
                model(as_input(part))
                beat()
    finally:
        for hook in hooks:
            hook.remove()
        model.train(was_training)
    return {name: torch.cat(parts).cpu().numpy() for name, parts in seen.items()}


def _into(parts: list[Tensor]) -> Callable[[nn.Module, Any, Tensor], None]:
    # Averaged at once: the next layer may write over the output, and whole maps would fill memory.
    return lambda _module, _inputs, output: parts.append(_averaged(output))


def _averaged(output: Tensor) -> Tensor:
    """(n, channels, H, W), (n, tokens, channels) or (n, channels) → (n, channels) float32."""
    if output.ndim == 4:
        output = output.mean((2, 3))
    elif output.ndim == 3:
        output = output.mean(1)
    # A layer that changes nothing may hand on the tensor itself.
    return output.float().clone()
