"""The row of filters above the table of runs."""

from collections.abc import Callable, Iterable, Sequence

import streamlit as st

from pru_demo.data import DATASETS
from pru_demo.methods import METHODS
from pru_demo.settings import PRESETS
from pru_demo.ui.runs.run_table import RunFilter, StoredRun, forgotten_classes

# Two beside each other on a phone, all in one row on a screen.
_WIDTH = 168


def chosen_filter(runs: Sequence[StoredRun], mine: str) -> RunFilter:
    """Draw the filters that ``runs`` leave a choice in; None is all."""
    scenarios = [run.config.scenario for run in runs]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        return RunFilter(
            dataset=_choice(
                "Data set",
                (s.dataset for s in scenarios),
                DATASETS,
                lambda name: DATASETS[name].label,
            ),
            forgot=_choice(
                "Forgot", (name for run in runs for name in forgotten_classes(run.config))
            ),
            method=_choice(
                "Method",
                (run.config.pick.method for run in runs),
                METHODS,
                lambda name: METHODS[name].label,
            ),
            preset=_choice(
                "Amount of work",
                (s.preset for s in scenarios),
                PRESETS,
                lambda name: PRESETS[name].label,
            ),
            owner=mine if _only_mine() else None,
        )


def _only_mine() -> bool:
    return st.toggle(
        "Only mine",
        key="runs.mine",
        persist_state="session",
        help="The runs that this browser started. It is known by a cookie; there are no accounts.",
    )


def _choice(
    label: str,
    values: Iterable[str],
    order: Iterable[str] = (),
    name: Callable[[str], str] = str,
) -> str | None:
    """One of ``values``, in the ``order`` given or else by name."""
    present = set(values)
    return st.selectbox(
        label,
        [each for each in order if each in present] or sorted(present),
        index=None,
        format_func=name,
        placeholder="all",
        key=f"runs.{label}",
        width=_WIDTH,
        persist_state="session",
    )
