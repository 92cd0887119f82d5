"""What a layer of a network is: the paper draws one value per layer and does not define it.

Here it is a *block*: a convolution with its BatchNorm, a residual block, a transformer's layer. Its
weights are one vector to Eq. 6, and what it sends on is one stage of what the network sees.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn

from pru_demo.models.split import SplitModel

CLASSIFIER = "classifier"


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
