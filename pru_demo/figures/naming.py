"""What things are called wherever they appear: runs, the images that were forgotten, layers.

A run is also drawn in one way everywhere.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence

from pru_demo.config import Pick, Scenario
from pru_demo.data import DATASETS
from pru_demo.figures.palette import (
    METHOD_STROKES,
    NEW_METHOD,
    TURNED_DASHES,
    TURNED_SYMBOLS,
    Stroke,
)
from pru_demo.knobs import words_of, written
from pru_demo.methods import METHODS

# More would be a list, not a name.
_NAMED_CHANGES = 2

# Modules as torch and torchvision call them → what is written under a figure.
_NAMES = (
    (r"layer(?P<stage>\d+)\.(?P<at>\d+)", "block {stage}.{at}"),
    (r"layer(?P<stage>\d+)\.(?P<at>\d+)\.bn(?P<norm>\d+)", "block {stage}.{at}, norm {norm}"),
    (r"layer(?P<stage>\d+)\.(?P<at>\d+)\.downsample(?:\.\d+)?", "block {stage}.{at}, shortcut"),
    (r"encoder\.layers\.encoder_layer_(?P<at>\d+)", "layer {at}"),
    (r"encoder\.ln", "last norm"),
    (r"conv_proj", "patches"),
    (r"conv1|bn1", "stem"),
)


def is_reference(pick: Pick) -> bool:
    """One end of the scale: it never met the class, or never forgot it."""
    return pick.method in ("retrain", "original")


def is_par(pick: Pick) -> bool:
    """One of the references as it is: what was turned by hand is no yardstick for others."""
    return is_reference(pick) and not pick.changes


def is_control(pick: Pick) -> bool:
    """It only hides the class, and whoever forgets must do better."""
    return METHODS[pick.method].control


def is_yardstick(pick: Pick) -> bool:
    """To be compared with, not a way to forget: never ranked among those that are."""
    return is_reference(pick) or is_control(pick)


def pick_name(pick: Pick) -> str:
    """``PRU (tuned)``: the variant, and what was turned, is named on everything that shows a
    result."""
    return _named(METHODS[pick.method].label, pick)


def short_name(pick: Pick) -> str:
    """The same where there is little room."""
    return _named(METHODS[pick.method].short, pick)


def variant_name(pick: Pick) -> str:
    """``tuned``, or ``tuned, λ_s = 1`` where something was turned."""
    return ", ".join(filter(None, [pick.variant, changes_name(pick)]))


def changes_name(pick: Pick) -> str:
    """``λ_s = 1``: what was turned, in few words, but never the same for what differs."""
    if len(pick.changes) > _NAMED_CHANGES:
        return f"#{_digest(pick).hex()[:4]}: {len(pick.changes)} changes"
    return ", ".join(f"{words_of(name).symbol} = {written(v)}" for name, v in pick.changes)


def _named(label: str, pick: Pick) -> str:
    # Of a yardstick there is no choice of variants.
    version = changes_name(pick) if is_yardstick(pick) else variant_name(pick)
    return f"{label} ({version})" if version else label


def stroke_of(pick: Pick) -> Stroke:
    """The method's colour, dash and marker; of what was turned by hand only the colour."""
    stroke = METHOD_STROKES.get(pick.method, NEW_METHOD)
    if not pick.changes:
        return stroke
    dashes = [dash for dash in TURNED_DASHES if dash != stroke.dash]
    one, other = _digest(pick)[:2]
    symbol = TURNED_SYMBOLS[other % len(TURNED_SYMBOLS)]
    return Stroke(stroke.color, dashes[one % len(dashes)], symbol)


def _digest(pick: Pick) -> bytes:
    """The same everywhere and for ever, and hardly ever the same for what differs."""
    return hashlib.sha256(str(pick).encode()).digest()


def forgotten_classes(scenario: Scenario) -> list[str]:
    """``["3", "9"]``."""
    names = DATASETS[scenario.dataset].class_names
    return [names[c] for c in scenario.forget]


def forgotten_name(scenario: Scenario) -> str:
    """``9`` or ``3 and 9``."""
    return listed(forgotten_classes(scenario))


def forgotten_images(scenario: Scenario) -> str:
    """``9s``, ``3s and 9s``; of classes that are no digits ``cat and dog images``."""
    if DATASETS[scenario.dataset].drawable:
        return listed([f"{name}s" for name in forgotten_classes(scenario)])
    return f"{forgotten_name(scenario)} images"


def forgotten_example(scenario: Scenario) -> str:
    """``a 9``, ``an 8``, ``a cat or a dog``."""
    return " or ".join(
        f"{'an' if name[0].lower() in 'aeio8' else 'a'} {name}"
        for name in forgotten_classes(scenario)
    )


def images_called(dataset: str) -> str:
    """``digits``, where that is what the images show."""
    return "digits" if DATASETS[dataset].drawable else "images"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def layer_names(modules: Iterable[str], model: str) -> list[str]:
    """What a student calls blocks or BatchNorm layers, given by their paths in network order.

    ``conv 3``, ``block 2.1``, ``layer 4``, not ``extractor.2``.
    The paper counts AllCNN's convolutions, each with its BatchNorm, from 1. A module of a network
    that nobody thought of here keeps its own name.
    """
    if model.startswith("allcnn"):
        # Every extractor block of an AllCNN is a convolution, whatever it is nested in.
        numbers = iter(range(1, 100))
        return [f"conv {next(numbers)}" if m.startswith("extractor.") else m for m in modules]
    return [_readable(module) for module in modules]


def _readable(module: str) -> str:
    # A network that normalises its input is nested one deeper.
    name = re.sub(r"^extractor\.(?:\d+\.(?=[a-z]))?", "", module)
    for pattern, said in _NAMES:
        if match := re.fullmatch(pattern, name):
            # Of these numbers torchvision counts one from 0.
            numbers = {k: int(n) + (k == "at") for k, n in match.groupdict().items()}
            return said.format(**numbers)
    return name
