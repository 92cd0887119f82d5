"""What the finer instruments say of a scenario's runs; what is missing is measured on a click."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pru_demo.config import RunConfig, View, runs_of
from pru_demo.experiment.keys import inside_key, run_key, weights_key
from pru_demo.experiment.tasks import INSIDE, shape_of
from pru_demo.figures.layers import Measured
from pru_demo.figures.naming import listed, pick_name
from pru_demo.jobs.protocol import (
    IN_FLIGHT,
    ORPHAN_SECONDS,
    EngineUnavailable,
    Job,
    JobFailed,
    Refused,
)
from pru_demo.ui.shared.comparison import REFERENCES
from pru_demo.ui.shared.services import ENGINE, STORE
from pru_demo.ui.visitor import visitor

POLL_SECONDS = 0.5
# As many as a visitor may have waiting.
AT_ONCE = 6
EXPECTED = "about a minute each for the small network on two CPU cores, longer for larger ones"


def measured_runs(view: View) -> list[Measured]:
    """All measured runs of the scenario; B and A come last, to be drawn over the others."""
    letters = {view.b: "B", view.a: "A"}
    found = [
        Measured(run, measures, letters.get(run.pick, ""))
        for run in runs_of(view.scenario)
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
        for run in runs_of(view.scenario)
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
    if any(job.state in IN_FLIGHT for job in _jobs(missing).values()):
        _watch(missing)
        return
    for run, job in _jobs(missing).items():
        _explain_end(run, job)
    offered = missing[:AT_ONCE]
    text = (
        f"Not measured yet: {listed([pick_name(run.pick) for run in missing])}. It takes "
        f"{EXPECTED}. It goes on if you leave this page; what is not done "
        f"{ORPHAN_SECONDS / 60:.0f} minutes later is stopped."
    )
    if needed:
        st.info(text, icon=":material/hourglass_empty:")
    else:
        st.caption(text)
    if st.button(
        f"Measure {listed([pick_name(run.pick) for run in offered])}",
        key="measure",
        icon=":material/labs:",
        type="primary" if needed else "secondary",
    ):
        _start(offered)


def _start(runs: Sequence[RunConfig]) -> None:
    try:
        for run in runs:
            ENGINE.submit(
                INSIDE,
                {"config": run.content()},
                key=inside_key(run),
                visitor=visitor(),
                shape=f"measure {shape_of(run)}",
                retries=1,
            )
    except (Refused, EngineUnavailable) as problem:
        st.error(str(problem), icon=":material/hourglass_disabled:")
        return
    st.rerun()


@st.fragment(run_every=POLL_SECONDS)
def _watch(runs: Sequence[RunConfig]) -> None:
    jobs = _jobs(runs)
    over = all(job.state not in IN_FLIGHT for job in jobs.values())
    # What is finished is shown while the rest goes on.
    if over or any(map(_is_measured, runs)):
        st.rerun()
    for run, job in jobs.items():
        if job.state in IN_FLIGHT:
            job.watch(visitor())
        share, text = _progress(job)
        st.progress(share, f"**{pick_name(run.pick)}**: {text}")


def _progress(job: Job) -> tuple[float, str]:
    """Share done, and in words what is being done."""
    if job.state == "queued":
        return 0.0, f"waiting, number {job.position} in the queue"
    if job.state != "running":
        return 1.0, job.state
    events = job.events()
    if not events:
        return 0.0, "starting a worker"
    return events[-1].data["share"], events[-1].data["message"]


def _explain_end(run: RunConfig, job: Job) -> None:
    """How a job ended that has left no measures."""
    if job.state == "failed":
        error = job.future.exception()
        assert isinstance(error, JobFailed)
        st.error(
            f"{pick_name(run.pick)} could not be measured. {error.sentence} "
            f"Reference {error.reference}.",
            icon=":material/error:",
        )
    elif job.state in ("cancelled", "interrupted"):
        st.info(
            f"Measuring {pick_name(run.pick)} was stopped. Nothing else was lost.",
            icon=":material/stop_circle:",
        )


def _jobs(runs: Sequence[RunConfig]) -> dict[RunConfig, Job]:
    jobs: dict[RunConfig, Any] = {run: ENGINE.job(inside_key(run)) for run in runs}
    return {run: job for run, job in jobs.items() if job is not None}


def _is_measured(run: RunConfig) -> bool:
    """Whether there is all that can be: what needs Retrain, too, if its weights are there."""
    measures = STORE.meta(inside_key(run))
    if measures is None:
        return False
    retrain = RunConfig(run.scenario, REFERENCES[0])
    compared = measures["layers"]["cka_to_retrained"] is not None
    return compared or STORE.meta(weights_key(retrain)) is None
