"""How a run is called and drawn, wherever it appears."""

from collections.abc import Sequence

from pru_demo.config import Pick, Scenario
from pru_demo.data import DATASETS
from pru_demo.figures.palette import METHOD_STROKES, Stroke
from pru_demo.unlearning import METHODS

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


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
