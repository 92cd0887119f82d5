"""What a student calls the layers: ``conv 3``, ``block 2.1``, ``layer 4``, not ``extractor.2``."""

import re
from collections.abc import Iterable

# Modules as torch and torchvision call them → what is written under a figure.
_WORDS: tuple[tuple[str, str], ...] = (
    (r"layer(\d+)\.(\d+)(?:\.bn(\d+))?", "block"),
    (r"layer(\d+)\.(\d+)\.downsample(?:\.\d+)?", "shortcut"),
    (r"encoder\.layers\.encoder_layer_(\d+)", "layer"),
    (r"encoder\.ln", "last norm"),
    (r"conv_proj", "patches"),
    (r"conv1|bn1", "stem"),
)


def layer_names(modules: Iterable[str], model: str) -> list[str]:
    """Readable names of blocks or BatchNorm layers, given by their paths in network order.

    The paper counts AllCNN's convolutions, each with its BatchNorm, from 1. A module of a network
    that nobody thought of here keeps its own name.
    """
    if model.startswith("allcnn"):
        # Every extractor block of an AllCNN is a convolution, whatever it is nested in.
        numbers = iter(range(1, 100))
        return [f"conv {next(numbers)}" if _inside(m) else m for m in modules]
    return [_readable(module) for module in modules]


def _inside(module: str) -> bool:
    return module.startswith("extractor.")


def _readable(module: str) -> str:
    # A network that normalises its input is nested one deeper.
    name = re.sub(r"^extractor\.(?:\d+\.(?=[a-z]))?", "", module)
    for pattern, word in _WORDS:
        if found := re.fullmatch(pattern, name):
            numbers = found.groups()
            if word == "layer":
                return f"layer {int(numbers[0]) + 1}"
            if word in ("block", "shortcut"):
                place = f"block {numbers[0]}.{int(numbers[1]) + 1}"
                if word == "shortcut":
                    return f"{place}, shortcut"
                return f"{place}, norm {numbers[2]}" if numbers[2] else place
            return word
    return name
