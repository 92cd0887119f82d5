"""What is said of the controls wherever A_f through relearning is shown."""

from collections.abc import Collection, Sequence

from pru_demo.experiment.record import RunRecord
from pru_demo.figures.findings import AWAY, percent
from pru_demo.figures.naming import is_control, pick_name
from pru_demo.methods import METHODS
from pru_demo.ui.shared.texts import text


def controls_said(records: Sequence[RunRecord]) -> str:
    """What the controls among ``records`` are, and what the mask scores; "" if there are none."""
    controls = [record for record in records if is_control(record.config.pick)]
    if not controls:
        return ""
    each = [
        f"**{pick_name(r.config.pick)}** {METHODS[r.config.pick.method].description}."
        for r in controls
    ]
    masks = [max(r.relearning("A_f")) for r in controls if r.config.pick.method == "mask"]
    return f"{text('shared.controls', controls=' '.join(each))} {mask_said(masks)}".strip()


def mask_said(highest: Collection[float]) -> str:
    """What A_f of a network comes to that only hides the class, by the ``highest`` (percent) of
    each such run; "" if there is none, or if relearning uncovers the class."""
    if not highest or max(highest) >= AWAY:
        return ""
    return text("shared.mask", a_f=percent(max(highest)))
