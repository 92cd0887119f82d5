"""What is said of the controls wherever A_f through relearning is shown."""

from collections.abc import Collection

from pru_demo.figures.findings import AWAY, percent
from pru_demo.figures.naming import pick_name
from pru_demo.methods import METHODS
from pru_demo.ui.shared.comparison import Comparison
from pru_demo.ui.shared.texts import text


def controls_said(comparison: Comparison) -> str:
    """What the thin lines of a figure are, and what the mask scores; "" if neither was run."""
    picks = [record.config.pick for record in comparison.controls]
    lines = [f"**{pick_name(pick)}** {METHODS[pick.method].description}." for pick in picks]
    said = [text("shared.controls", controls=" ".join(lines))] if lines else []
    mask = comparison.yardstick("mask")
    said.append(mask_said([] if mask is None else [max(mask.relearning("A_f"))]))
    return " ".join(filter(None, said))


def mask_said(highest: Collection[float]) -> str:
    """What A_f through relearning makes of a network that only hides the class, by the ``highest``
    (percent) of each such run; "" if there is none, or if relearning uncovers the class."""
    if not highest or max(highest) >= AWAY:
        return ""
    return text("shared.mask", a_f=percent(max(highest)))
