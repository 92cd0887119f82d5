"""How far unlearning moved each layer: its weights (Eq. 6, Figure 3) and its BatchNorm statistics.

The paper draws one value per layer and does not define what a layer is. Here it is a *block*: a
convolution with its BatchNorm, a residual block, a transformer's layer. Its weights are one vector
to Eq. 6, and what it sends on is one stage of what the network sees.

Weights alone miss half of it: a method may leave every weight where it was and still change the
network through BatchNorm's running mean and variance.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pru_demo.models.checkpoints import Weights
from pru_demo.models.split import SplitModel

CLASSIFIER = "classifier"

# What BatchNorm keeps beside its parameters.
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")

# PyTorch's default. A channel that is dead on D_f decays to a variance of 0, whose logarithm says
# nothing; the layer itself divides by √(σ² + ε).
EPSILON = 1e-5


@dataclass(frozen=True)
class Block:
    """Modules that follow one another, by their paths; ``parts[-1]`` is the one that sends on.

    It is called after the first of them.
    """

    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        """``extractor.3``."""
        return self.parts[0]

    def has(self, parameter: str) -> bool:
        """Whether ``extractor.3.0.weight`` is one of its parameters."""
        return any(parameter.startswith(f"{part}.") for part in self.parts)


def blocks_of(model: SplitModel) -> list[Block]:
    """The extractor's blocks in network order, and the classifier."""
    return [*_blocks(model.extractor, "extractor"), Block((CLASSIFIER,))]


def owner_of(parameter: str, blocks: Sequence[Block]) -> Block:
    """The block that a parameter belongs to.

    One that lies in no block, as a transformer's class token or the places of its patches, goes
    with the first: there it joins the image.
    """
    return next((block for block in blocks if block.has(parameter)), blocks[0])


def _blocks(module: nn.Module, path: str) -> Iterator[Block]:
    if not _is_chain(module):
        yield Block((path,))
        return
    loose: list[str] = []
    for name, child in module.named_children():
        inside = f"{path}.{name}"
        if not any(child.children()):
            # A layer that stands alone, such as ResNet's first convolution, with what follows it.
            if loose or any(True for _ in child.parameters()):
                loose.append(inside)
            continue
        if loose:
            yield Block(tuple(loose))
            loose = []
        yield from _blocks(child, inside)
    if loose:
        yield Block(tuple(loose))


def _is_chain(module: nn.Module) -> bool:
    """Whether ``module`` strings blocks together, at whatever depth, rather than being one."""
    return any(
        isinstance(inner, nn.Sequential) and any(any(child.children()) for child in inner)
        for inner in module.modules()
    )


@dataclass(frozen=True)
class Change:
    """Eq. 6 of one tensor or block: Δ = ‖θ_un − θ_or‖ / ‖θ_or‖.

    0: it stands still; 1: it moved as far as it was long. None: no number, because θ_or is zero
    and θ_un is not, or because the network diverged.
    """

    name: str
    relative: float | None


@dataclass(frozen=True)
class Drift:
    """How far the running statistics of one BatchNorm layer moved. None: the network diverged.

    ``mean`` is ‖μ_un − μ_or‖ / ‖σ_or‖, ``variance`` the mean over channels of |ln σ²_un / σ²_or|;
    σ² includes the layer's ε.
    """

    name: str
    mean: float | None
    variance: float | None


def tensor_changes(unlearned: Weights, original: Weights) -> list[Change]:
    """Eq. 6 for every parameter, of two state dicts of one network.

    As in all that follows, what is found is listed in the order of ``original``: that of the
    network if it comes from ``model.state_dict()``, but not from a file. Raises ValueError for the
    state dicts of two different networks.
    """
    return _changes({name: [name] for name in _parameters(original)}, unlearned, original)


def block_changes(unlearned: Weights, original: Weights, blocks: Sequence[Block]) -> list[Change]:
    """Eq. 6 for every one of the network's ``blocks``: all its parameters as one vector."""
    groups: dict[str, list[str]] = {block.name: [] for block in blocks}
    for name in _parameters(original):
        groups[owner_of(name, blocks).name].append(name)
    return _changes(groups, unlearned, original)


def batch_norm_drift(unlearned: Weights, original: Weights) -> list[Drift]:
    """Drift of every BatchNorm layer."""
    _check_same_network(unlearned, original)
    layers = [name.rpartition(".")[0] for name in original if _leaf(name) == "running_mean"]
    return [_drift(layer, unlearned, original) for layer in layers]


def _drift(layer: str, unlearned: Weights, original: Weights) -> Drift:
    prefix = f"{layer}." if layer else ""
    moved = (unlearned[prefix + "running_mean"] - original[prefix + "running_mean"]).double()
    before, after = (
        state[prefix + "running_var"].double() + EPSILON for state in (original, unlearned)
    )
    return Drift(
        layer,
        _finite(moved.norm() / before.sqrt().norm()),
        _finite((after / before).log().abs().mean()),
    )


def _changes(
    groups: Mapping[str, list[str]], unlearned: Weights, original: Weights
) -> list[Change]:
    _check_same_network(unlearned, original)
    changes = []
    for group, names in groups.items():
        before, after = (
            torch.cat([state[name].flatten().double() for name in names])
            for state in (original, unlearned)
        )
        moved = (after - before).norm()
        # 0 / 0: what was zero and stayed zero has not moved.
        changes.append(Change(group, 0.0 if moved == 0 else _finite(moved / before.norm())))
    return changes


def _parameters(state: Weights) -> list[str]:
    return [name for name in state if _leaf(name) not in STATISTICS]


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


def _finite(value: Tensor) -> float | None:
    number = value.item()
    return number if math.isfinite(number) else None


def _check_same_network(unlearned: Weights, original: Weights) -> None:
    one, other = ({k: t.shape for k, t in state.items()} for state in (unlearned, original))
    if one != other:
        raise ValueError("These are not the weights of one network.")
