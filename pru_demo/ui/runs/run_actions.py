"""What can be done with the runs selected in the table: look, compare, run again, keep, delete."""

import json
from collections.abc import Sequence

import streamlit as st

from pru_demo.data import DATASETS, available
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.naming import forgotten_name, pick_name
from pru_demo.links import View
from pru_demo.store import StoreUnavailable
from pru_demo.store.entry import Entry
from pru_demo.ui.runs.stored_runs import StoredRun, delete_run, is_own
from pru_demo.ui.shared.comparison import fetch_hint
from pru_demo.ui.shared.pages import link_to
from pru_demo.ui.shared.running import run_panel
from pru_demo.ui.shared.services import STORE
from pru_demo.ui.shared.texts import text

_OUTCOME = "runs.outcome"


def page_links(selected: Sequence[StoredRun], runs: Sequence[StoredRun], current: View) -> None:
    """Lead to the pages that show one or two selected runs, or say why none does."""
    match [run.config for run in selected]:
        case []:
            st.markdown(text("runs.select"))
        case [run]:
            # Beside the current B, or alone if that was not run in this scenario.
            here = {each.config.pick for each in runs if each.config.scenario == run.scenario}
            b = current.b if current.b in here else run.pick
            beside = f" beside {pick_name(b)}" if b != run.pick else ""
            _links(f"Open **{pick_name(run.pick)}**{beside}:", View(run.scenario, run.pick, b))
        case [a, b] if a.scenario == b.scenario:
            compared = f"Compare **{pick_name(a.pick)}** with **{pick_name(b.pick)}**:"
            _links(compared, View(a.scenario, a.pick, b.pick))
        case [_, _]:
            st.markdown(text("runs.not_compared"))
        case _:
            st.markdown(f"{len(selected)} runs are selected. To compare, select two.")


def _links(said: str, view: View) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(said, width="content")
        for name in ("forget", "perception", "redistribution", "relearning"):
            link_to(name, name.capitalize(), view)


def summaries(runs: Sequence[StoredRun]) -> str:
    """The numbers of ``runs`` as JSON, as ``python -m pru_demo run --json`` writes them."""
    metas = {run: STORE.meta(run.key) for run in runs}
    made = [
        {**run.config.content(), **RunRecord.from_entry(Entry(meta, {})).summary()}
        for run, meta in metas.items()
        if meta is not None
    ]
    return json.dumps({"runs": made}, indent=1) + "\n"


def show_outcome() -> None:
    """Say what became of the last deletion; said in the dialog, it would vanish with that."""
    for sentence in st.session_state.pop(_OUTCOME, []):
        st.toast(sentence, icon=":material/delete:", duration="long")


def delete_button(selected: Sequence[StoredRun], mine: str) -> None:
    """Delete the visitor's own among the selected runs, once they have said yes."""
    if not selected:
        return
    own = [run for run in selected if is_own(run, mine)]
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
