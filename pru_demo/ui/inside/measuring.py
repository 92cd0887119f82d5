"""What the finer instruments say of a scenario's runs; what is missing is measured on a click."""

from collections.abc import Mapping, Sequence

import streamlit as st

from pru_demo.config import RunConfig, View, runs_of
from pru_demo.experiment.keys import inside_key, run_key, weights_key
from pru_demo.experiment.tasks import INSIDE, shape_of
from pru_demo.figures.layers import Measured
from pru_demo.figures.naming import listed, pick_name
from pru_demo.jobs.protocol import ORPHAN_SECONDS, Job
from pru_demo.ui.shared.comparison import REFERENCES
from pru_demo.ui.shared.jobs_panel import (
    FAILED,
    STOPPED,
    Endings,
    explain_end,
    in_flight,
    jobs_of,
    last_event,
    submit,
    watch,
)
from pru_demo.ui.shared.services import STORE
from pru_demo.ui.shared.texts import text

# As many as a visitor may have waiting.
AT_ONCE = 6

_STOPPED = (STOPPED, "Measuring {name} was stopped. Nothing else was lost.")
_ENDINGS: Endings = {
    "failed": (FAILED, "{name} could not be measured. {sentence} Reference {reference}."),
    "cancelled": _STOPPED,
    "interrupted": _STOPPED,
}


def measured_runs(view: View) -> list[Measured]:
    """All measured runs of the scenario; B and A come last, to be drawn over the others."""
    letters = {view.b: "B", view.a: "A"}
    found = [
        Measured(run, measures, letters.get(run.pick, ""))
        for run in runs_of(view.scenario, view.a, view.b)
        if (measures := STORE.meta(inside_key(run))) is not None
    ]
    return sorted(found, key=lambda run: ["", "B", "A"].index(run.letter))


def unmeasured_runs(view: View) -> list[RunConfig]:
    """Stored runs of the scenario that can be measured: A, B, the references, then all others.

    While A or B is among them only what a comparison of these two needs. What was measured before
    Retrain was there is to be measured again.
    """
    first = [view.a, view.b, *REFERENCES]
    missing = [
        run
        for run in runs_of(view.scenario, view.a, view.b)
        if STORE.meta(run_key(run)) is not None and not _is_measured(run)
    ]
    missing.sort(key=lambda r: first.index(r.pick) if r.pick in first else len(first))
    if any(run.pick in (view.a, view.b) for run in missing):
        return [run for run in missing if run.pick in first]
    return missing


def measure_panel(missing: Sequence[RunConfig], *, needed: bool) -> None:
    """Offer to measure ``missing``, as many as a visitor may have waiting, or show it going on.

    ``needed``: without it the page has little to show, so the offer stands out.
    """
    keys = {run: inside_key(run) for run in missing}
    if in_flight(keys.values()):
        # What is finished is shown while the rest goes on.
        watch(keys, _show_progress, lambda: any(map(_is_measured, missing)))
        return
    for run, job in jobs_of(keys).items():
        explain_end(job, _ENDINGS, name=pick_name(run.pick))
    offered = missing[:AT_ONCE]
    said = text(
        "inside.not_measured",
        names=listed([pick_name(run.pick) for run in missing]),
        minutes=f"{ORPHAN_SECONDS / 60:.0f}",
    )
    if needed:
        st.info(said, icon=":material/hourglass_empty:")
    else:
        st.caption(said)
    if st.button(
        f"Measure {listed([pick_name(run.pick) for run in offered])}",
        key="measure",
        icon=":material/labs:",
        type="primary" if needed else "secondary",
    ) and all(
        submit(
            INSIDE,
            {"config": run.content()},
            key=inside_key(run),
            shape=f"measure {shape_of(run)}",
        )
        for run in offered
    ):
        st.rerun()


def _show_progress(jobs: Mapping[RunConfig, Job]) -> None:
    for run, job in jobs.items():
        event, share, said = last_event(job), 1.0, str(job.state)
        if job.state == "queued":
            share, said = 0.0, f"waiting, number {job.position} in the queue"
        elif job.state == "running":
            share, said = event.get("share", 0.0), event.get("message", "starting a worker")
        st.progress(share, f"**{pick_name(run.pick)}**: {said}")


def _is_measured(run: RunConfig) -> bool:
    """Whether there is all that can be: what needs Retrain, too, if its weights are there."""
    measures = STORE.meta(inside_key(run))
    if measures is None:
        return False
    retrain = RunConfig(run.scenario, REFERENCES[0])
    compared = measures["layers"]["cka_to_retrained"] is not None
    return compared or STORE.meta(weights_key(retrain)) is None
