"""What can be done with the runs selected in the table: look, compare, run again, keep, delete."""

import json
from collections.abc import Sequence

import streamlit as st

from pru_demo.config import Pick, Scenario, View
from pru_demo.data import DATASETS, available
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.naming import forgotten_name, pick_name
from pru_demo.store import StoreUnavailable
from pru_demo.store.entry import Entry
from pru_demo.ui.runs.run_table import StoredRun
from pru_demo.ui.runs.stored_runs import deletable, delete_run
from pru_demo.ui.shared.comparison import fetch_hint
from pru_demo.ui.shared.pages import link_to
from pru_demo.ui.shared.running import run_panel
from pru_demo.ui.shared.services import STORE

_PAGES = {
    "forget": "Forget",
    "perception": "Perception",
    "redistribution": "Redistribution",
    "relearning": "Relearning",
}
_OUTCOME = "runs.outcome"


def page_links(selected: Sequence[StoredRun], runs: Sequence[StoredRun], current: View) -> None:
    """Lead to the pages that show one or two selected runs, or say why none does."""
    scenarios = {run.config.scenario for run in selected}
    if not selected:
        st.markdown(
            "Select a run to open it or to run it again, or two of the same scenario to compare "
            "them."
        )
    elif len(selected) == 1:
        (run,) = selected
        view = _beside(run, runs, current)
        beside = f" beside {pick_name(view.b)}" if view.b != view.a else ""
        _links(f"Open **{pick_name(view.a)}**{beside}:", view)
    elif len(selected) == 2 and len(scenarios) == 1:
        a, b = (run.config.pick for run in selected)
        _links(
            f"Compare **{pick_name(a)}** with **{pick_name(b)}**:",
            View(next(iter(scenarios)), a, b),
        )
    elif len(selected) == 2:
        st.markdown(
            "These two cannot be compared: their scenarios differ (classes, data, network, amount "
            "of work or seed)."
        )
    else:
        st.markdown(f"{len(selected)} runs are selected. To compare, select two.")


def download_summaries(runs: Sequence[StoredRun], label: str) -> None:
    """The numbers of ``runs`` as JSON, as ``python -m pru_demo run --json`` writes them."""
    st.download_button(
        label,
        lambda: _summaries(runs),
        "runs.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
        key="runs.json",
    )


def show_outcome() -> None:
    """Say what became of the last deletion; said in the dialog, it would vanish with that."""
    for sentence in st.session_state.pop(_OUTCOME, []):
        st.toast(sentence, icon=":material/delete:", duration="long")


def delete_button(selected: Sequence[StoredRun], mine: str) -> None:
    """Delete the visitor's own among the selected runs, once they have said yes."""
    own = [run for run in selected if deletable(run, mine)]
    if not selected:
        return
    if st.button(
        "Delete",
        icon=":material/delete:",
        key="runs.delete",
        disabled=not own,
        help=None if own else "You can delete the runs that this browser started.",
    ):
        _confirm(own, mine, others=len(own) < len(selected))


def run_again(run: StoredRun) -> None:
    """Offer to run it once more, or show how far that is."""
    dataset = run.config.scenario.dataset
    if available(dataset):
        run_panel([run.config], [])
    else:
        st.caption(
            f"It cannot be run again: {DATASETS[dataset].label} is not on this machine. "
            f"{fetch_hint([dataset])}"
        )


@st.dialog("Delete these runs?", icon=":material/delete:")
def _confirm(own: Sequence[StoredRun], mine: str, *, others: bool) -> None:
    st.markdown("\n".join(f"- {_described(run)}" for run in own))
    st.markdown(
        "Records, networks and places on the map will be gone, for everybody."
        + (" What else is selected stays: it is not yours." if others else "")
    )
    with st.container(horizontal=True):
        if st.button(
            "Delete", type="primary", key="runs.delete.yes", on_click=_delete, args=(own, mine)
        ):
            st.rerun()
        if st.button("Keep", key="runs.delete.no"):
            st.rerun()


def _delete(runs: Sequence[StoredRun], mine: str) -> None:
    """Callback: delete, and note what came of it for :func:`show_outcome`."""
    said, deleted = [], 0
    try:
        for run in runs:
            if delete_run(run, mine):
                deleted += 1
            else:
                said.append(f"{_described(run)} is no longer yours and stays.")
    except StoreUnavailable as problem:
        said.append(str(problem))
    if deleted:
        said.append(f"Deleted {deleted} run{'s' if deleted > 1 else ''}.")
    st.session_state[_OUTCOME] = said


def _described(run: StoredRun) -> str:
    scenario = run.config.scenario
    return (
        f"**{pick_name(run.config.pick)}** on {DATASETS[scenario.dataset].label}, forgot "
        f"{forgotten_name(scenario)} ({scenario.preset}, seed {scenario.seed})"
    )


def _links(text: str, view: View) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(text, width="content")
        for name, label in _PAGES.items():
            link_to(name, label, view)


def _beside(run: StoredRun, runs: Sequence[StoredRun], current: View) -> View:
    """``run`` as A beside the current B, or alone if that B was not run in its scenario."""
    scenario, pick = run.config.scenario, run.config.pick
    here = _picks(scenario, runs)
    return View(scenario, pick, current.b if current.b in here else pick)


def _picks(scenario: Scenario, runs: Sequence[StoredRun]) -> set[Pick]:
    return {run.config.pick for run in runs if run.config.scenario == scenario}


def _summaries(runs: Sequence[StoredRun]) -> str:
    metas = {run: STORE.meta(run.key) for run in runs}
    found = [
        {**run.config.content(), **RunRecord.from_entry(Entry(meta, {})).summary()}
        for run, meta in metas.items()
        if meta is not None
    ]
    return json.dumps({"runs": found}, indent=1) + "\n"
