"""What is explained wherever it is shown: the controls, and rehearsal."""

from collections.abc import Collection, Iterable, Sequence

from pru_demo.config import Pick, RunConfig, setting_of
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.findings import AWAY, percent
from pru_demo.figures.naming import forgotten_images, pick_name
from pru_demo.methods import METHODS
from pru_demo.parameters import rehearses
from pru_demo.ui.shared.texts import text

# Turned by hand it may be another thing.
MASK = Pick("mask", "default")


def controls_said(controls: Sequence[RunRecord], everyone: Sequence[RunRecord]) -> str:
    """What the thin lines of a figure are, the ``controls``, and what the mask scores if it is
    among ``everyone`` in the figure; "" if there are none."""
    picks = [record.config.pick for record in controls]
    lines = [f"**{pick_name(pick)}** {METHODS[pick.method].description}." for pick in picks]
    said = [text("shared.controls", controls=" ".join(lines))] if lines else []
    masks = [record for record in everyone if record.config.pick == MASK]
    said.append(mask_said([max(record.relearning("A_f")) for record in masks]))
    return " ".join(filter(None, said))


def mask_said(highest: Collection[float]) -> str:
    """What A_f through relearning makes of a network that only hides the class, by the ``highest``
    (percent) of each such run; "" if there is none, or if relearning uncovers the class."""
    if not highest or max(highest) >= AWAY:
        return ""
    return text("shared.mask", a_f=percent(max(highest)))


def rehearsal_said(runs: Iterable[RunConfig]) -> str:
    """How those of the ``runs`` that rehearse keep what they cannot see; "" if none does."""
    for run in runs:
        if rehearses(setting_of(run).params):
            return text("shared.rehearsal", images=forgotten_images(run.scenario))
    return ""
