"""How a run is called and drawn, wherever it appears."""

from collections.abc import Sequence

from pru_demo.config import Pick, Scenario
from pru_demo.data import DATASETS
from pru_demo.figures.palette import METHOD_STROKES, Stroke
from pru_demo.methods import METHODS

# Without a choice of variants there is nothing to name.
_SINGLE = ("retrain", "original")


def pick_name(pick: Pick) -> str:
    """``PRU (tuned)``: the variant is named on everything that shows a result."""
    label = METHODS[pick.method].label
    return label if pick.method in _SINGLE else f"{label} ({pick.variant})"


def short_name(pick: Pick) -> str:
    """The same where there is little room."""
    label = METHODS[pick.method].short
    return label if pick.method in _SINGLE else f"{label} ({pick.variant})"


def stroke_of(pick: Pick) -> Stroke:
    """The method's colour, dash and marker."""
    return METHOD_STROKES[pick.method]


def forgotten_name(scenario: Scenario) -> str:
    """``9`` or ``3 and 9``."""
    names = DATASETS[scenario.dataset].class_names
    return listed([names[c] for c in scenario.forget])


def forgotten_images(scenario: Scenario) -> str:
    """``9s``, ``3s and 9s``; of classes that are no digits ``cat and dog images``."""
    names = DATASETS[scenario.dataset].class_names
    forgotten = [names[c] for c in scenario.forget]
    if DATASETS[scenario.dataset].drawable:
        return listed([f"{name}s" for name in forgotten])
    return f"{listed(forgotten)} images"


def forgotten_example(scenario: Scenario) -> str:
    """``a 9``, ``an 8``, ``a cat or a dog``."""
    names = DATASETS[scenario.dataset].class_names
    return " or ".join(_with_article(names[c]) for c in scenario.forget)


def images_called(dataset: str) -> str:
    """``digits``, where that is what the images show."""
    return "digits" if DATASETS[dataset].drawable else "images"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _with_article(name: str) -> str:
    return f"an {name}" if name[0].lower() in "aeio8" else f"a {name}"
