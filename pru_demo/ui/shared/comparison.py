"""What a page shows: the records of A and B, or the panel that computes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from pru_demo.config import Pick, RunConfig
from pru_demo.data import DATASETS, available
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.naming import forgotten_name
from pru_demo.links import View
from pru_demo.methods import METHODS
from pru_demo.ui.shared.pages import end_page, link_to
from pru_demo.ui.shared.records import record_of
from pru_demo.ui.shared.running import is_running, run_panel
from pru_demo.ui.shared.state import current_view

REFERENCES = (Pick("retrain", "paper"), Pick("original", "paper"))
CONTROLS = tuple(Pick(name, "default") for name, method in METHODS.items() if method.control)


@dataclass(frozen=True)
class Comparison:
    """A and B, in this order and once if they are the same, and the yardsticks there are: the
    references, and the controls, which only hide the class."""

    view: View
    chosen: tuple[RunRecord, ...]
    references: tuple[RunRecord, ...]
    controls: tuple[RunRecord, ...]

    @property
    def everyone(self) -> tuple[RunRecord, ...]:
        """In the order in which they are drawn: what was chosen lies over its yardsticks."""
        return (*self.controls, *self.references, *self.chosen)

    def missing_yardsticks(self) -> list[RunConfig]:
        """Those that have not been computed for this scenario."""
        known = {record.config.pick for record in self.everyone}
        picks = [pick for pick in (*REFERENCES, *CONTROLS) if pick not in known]
        return [RunConfig(self.view.scenario, pick) for pick in picks]

    def yardstick(self, method: str) -> RunRecord | None:
        """The record of Retrain, Original or a control, if it has been computed, also where it is A
        or B; one that was turned by hand is no yardstick."""
        known = {record.config.pick: record for record in self.everyone}
        picks = (pick for pick in (*REFERENCES, *CONTROLS) if pick.method == method)
        return next((known[pick] for pick in picks if pick in known), None)


def needed_comparison(
    meanwhile: Callable[[Sequence[RunConfig]], None] = lambda configs: None,
) -> Comparison:
    """The comparison of the current view; without records the page ends with the run panel.

    ``meanwhile`` shows what the page can of the runs that are under way.
    """
    view = current_view()
    configs = list(dict.fromkeys(view.runs().values()))
    records = {config: record_of(config) for config in configs}
    missing = [config for config, record in records.items() if record is None]
    if missing and not available(view.scenario.dataset):
        label = DATASETS[view.scenario.dataset].label
        st.warning(
            f"{label} is not on this machine. {fetch_hint([view.scenario.dataset])}",
            icon=":material/hide_image:",
        )
        end_page()
    if missing:
        run_panel(configs, missing)
        if is_running(configs):
            meanwhile(configs)
            if record_of(View().runs()["A"]) is not None:
                name = forgotten_name(View().scenario)
                link_to("relearning", f"Meanwhile: how {name} comes back, on finished runs", View())
        end_page()
    others = (
        [RunConfig(view.scenario, pick) for pick in picks if pick not in (view.a, view.b)]
        for picks in (REFERENCES, CONTROLS)
    )
    return Comparison(view, *map(_known, (configs, *others)))


def _known(configs: Sequence[RunConfig]) -> tuple[RunRecord, ...]:
    """The records of those that have been computed."""
    return tuple(record for record in map(record_of, configs) if record is not None)


def fetch_hint(names: Sequence[str]) -> str:
    """How whoever runs this server gets data sets; its paths are not for visitors."""
    command = f"python -m pru_demo data fetch {' '.join(names)}"
    return f"Who runs this server can get it with `{command}`."
