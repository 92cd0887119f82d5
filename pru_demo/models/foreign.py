"""Any network that ends in a linear layer, cut in two, and put together again."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pru_demo.models.split import SplitModel, batch_norms


@dataclass(frozen=True)
class ForeignSplit:
    """A stranger's network as extractor and classifier; ``split`` shares no tensor with it.

    ``places`` are the paths under which the last layer is registered, several if it has aliases.
    """

    split: SplitModel
    places: tuple[str, ...]

    def join(self, model: SplitModel) -> nn.Module:
        """The network of ``model``, a copy of ``split`` with other weights, in its first shape."""
        whole = deepcopy(model)
        joined = whole.extractor
        for place in self.places:
            _replace(joined, place, whole.classifier)
        return joined


def split_foreign(network: nn.Module, example: Tensor) -> ForeignSplit:
    """Find the last linear layer of ``network``, whose input is the feature vector e.

    It is found by running ``example``, a batch of inputs (B, …), in eval mode: not by its name.
    The argument is left as it is.

    Raises ValueError with a sentence when the network does not end in a linear layer, or cannot be
    cut before it: when its input is not one vector per example, when the layer is used twice or
    shares its weights, when weights are frozen.
    """
    copy = deepcopy(network).eval()
    last: list[nn.Linear] = []
    seen: dict[str, Tensor] = {}

    def remember(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        assert isinstance(module, nn.Linear)
        last[:] = [module]
        seen.update(e=inputs[0], logits=output)

    hooks = [
        module.register_forward_hook(remember)
        for module in copy.modules()
        if isinstance(module, nn.Linear)
    ]
    with torch.no_grad():
        answer = copy(example)
    for hook in hooks:
        hook.remove()
    if not last or not torch.is_tensor(answer) or answer is not seen["logits"]:
        raise ValueError(
            "This network does not end in a linear layer that gives its logits. Leave out what "
            "comes after it, such as a softmax."
        )
    if seen["e"].shape != (len(example), last[0].in_features):
        raise ValueError("The last linear layer must get one vector per image.")

    classifier = last[0]
    places = tuple(
        name for name, module in copy.named_modules(remove_duplicate=False) if module is classifier
    )
    if places == ("",):
        raise ValueError("A single linear layer has no feature extractor to unlearn in.")
    for place in places:
        _replace(copy, place, nn.Identity())
    split = SplitModel(copy, classifier)
    with torch.no_grad():
        e = split.features(example)
    if e.shape != seen["e"].shape or not torch.allclose(e, seen["e"]):
        raise ValueError("The last linear layer is used more than once: there is no place to cut.")
    if {*split.extractor_parameters()} & {*split.classifier_parameters()}:
        raise ValueError("The last linear layer must not share its weights with another layer.")
    if not all(parameter.requires_grad for parameter in split.parameters()):
        raise ValueError("Frozen weights cannot forget: call requires_grad_(True) on the network.")
    if any(layer.momentum is None for layer in batch_norms(copy)):
        raise ValueError("BatchNorm layers must have a momentum; set it, for example to 0.1.")
    return ForeignSplit(split, places)


def _replace(network: nn.Module, place: str, module: nn.Module) -> None:
    parent, _, name = place.rpartition(".")
    setattr(network.get_submodule(parent), name, module)
