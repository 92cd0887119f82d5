"""What rehearsal is, said where a run that rehearses is shown."""

from collections.abc import Iterable

from pru_demo.config import RunConfig, setting_of
from pru_demo.figures.naming import forgotten_images
from pru_demo.parameters import RehearsalParams
from pru_demo.ui.shared.texts import text


def rehearsal_said(runs: Iterable[RunConfig]) -> str:
    """How those of the ``runs`` that rehearse keep what they cannot see; "" if none does."""
    for run in runs:
        params = setting_of(run).params
        if isinstance(params, RehearsalParams) and params.rehearsal_pool:
            return text("shared.rehearsal", images=forgotten_images(run.scenario))
    return ""
