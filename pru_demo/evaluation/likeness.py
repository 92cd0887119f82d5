"""Whether two networks see the same, however each has turned its feature space: CKA by block.

What is compared is what every block sends on for the same images, one vector per image and block.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pru_demo.evaluation.layer_changes import blocks_of
from pru_demo.models.predict import measuring
from pru_demo.models.split import SplitModel

# e, the input of the classifier: what the extractor as a whole sends on.
FEATURES = "features"

Features = NDArray[np.floating]


def activations(model: SplitModel, images: Tensor) -> dict[str, NDArray[np.float32]]:
    """Outputs (n, channels) of ``model`` in eval mode on uint8 images (n, C, H, W), by block.

    Network order, with the features before the classifier, whose output is the logits. Feature
    maps are averaged over the image, a transformer's tokens over all of them. The train/eval mode
    of ``model`` is put back afterwards, and nothing of the listening stays in it.
    """
    *extractor, classifier = blocks_of(model)
    places = [(block.name, block.parts[-1]) for block in extractor]
    places += [(FEATURES, "extractor"), (classifier.name, classifier.parts[-1])]
    seen: dict[str, list[Tensor]] = {name: [] for name, _ in places}
    hooks = [
        model.get_submodule(path).register_forward_hook(_into(seen[name])) for name, path in places
    ]
    try:
        with torch.inference_mode():
            for x in measuring(model, images):
                model(x)
    finally:
        for hook in hooks:
            hook.remove()
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


@dataclass(frozen=True)
class Likeness:
    """CKA of two networks at one block: on all samples, and on the forgotten ones alone."""

    name: str
    all: float | None
    forgotten: float | None


def likeness(
    one: Mapping[str, Features], other: Mapping[str, Features], forgotten: NDArray[np.bool_]
) -> list[Likeness]:
    """Compare two networks block by block.

    Both give (n, d) for the same blocks and the same n samples; ``forgotten`` (n,) says which
    samples are of a forgotten class. Each group of samples is centred by itself, so that the
    comparison on the forgotten ones does not see how far they are from all others.
    """
    return [
        Likeness(
            name,
            linear_cka(one[name], other[name]),
            linear_cka(one[name][forgotten], other[name][forgotten]),
        )
        for name in one
    ]


def linear_cka(one: Features, other: Features) -> float | None:
    """Linear centred kernel alignment of the features (n, d1), (n, d2) of the same n samples.

    ‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖) with centred X, Y and Frobenius norms (Kornblith et al. 2019).
    From 0 (unrelated) to 1 (equal up to rotation, reflection, scale and shift); between
    one-dimensional features it is the squared correlation. None where one of them is constant or
    has no numbers: then there is nothing to align.

    It is biased upwards when there are few samples for many features: unrelated noise in d features
    each has a CKA of about d / (n + d) instead of 0.
    """
    x, y = _centred(one), _centred(other)
    # d × d matrices: the equal form with n × n Gram matrices would take 800 MB for a test part.
    scale = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return float(np.linalg.norm(x.T @ y) ** 2 / scale) if scale > 0 else None


def _centred(features: Features) -> NDArray[np.float64]:
    # The first row goes first, so that what is constant becomes exactly zero, not a rounding error.
    moved = features.astype(np.float64) - features[0]
    centred: NDArray[np.float64] = moved - moved.mean(0)
    return centred
