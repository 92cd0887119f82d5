"""Starting runs, watching them, cancelling them: one panel used by every page."""

import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from pru_demo.config import PRESETS, RunConfig
from pru_demo.figures.naming import listed, pick_name
from pru_demo.figures.unlearning import unlearning_figure
from pru_demo.models import checkpoint_name
from pru_demo.paths import CHECKPOINTS
from pru_demo.runs.engine.protocol import Job, JobFailed
from pru_demo.runs.record import run_key
from pru_demo.runs.setting import planned_epochs
from pru_demo.runs.tasks import RUN
from pru_demo.ui.charts import accuracy_charts
from pru_demo.ui.services import ENGINE

POLL_SECONDS = 0.5


def start(configs: Sequence[RunConfig], *, again: bool = False) -> None:
    """Submit runs; who asks for one that is on its way joins it."""
    for config in configs:
        ENGINE.submit(
            RUN, {"config": config.content(), "again": again}, key=run_key(config), retries=1
        )


def jobs_of(configs: Sequence[RunConfig]) -> dict[RunConfig, Job]:
    """The unfinished jobs of ``configs``: also those that another session or reload started."""
    jobs = {config: ENGINE.job(run_key(config)) for config in configs}
    return {c: job for c, job in jobs.items() if job and job.state in ("queued", "running")}


def run_panel(configs: Sequence[RunConfig], missing: Sequence[RunConfig]) -> None:
    """Offer to run what is missing (or everything again), or show what is running."""
    if jobs_of(configs):
        _watch(configs)
        return
    for config in configs:
        _explain_end(ENGINE.job(run_key(config)))
    preset = PRESETS[configs[0].scenario.preset]
    names = listed([pick_name(c.pick) for c in missing or configs])
    if missing:
        st.info(
            f"Not computed for this choice yet: {names}. It takes {_expectation(configs)}.",
            icon=":material/hourglass_empty:",
        )
    if st.button(
        f"Run {names}" if missing else f"Run {names} again, live",
        icon=":material/play_arrow:",
        type="primary" if missing else "secondary",
        key="run." + ".".join(c.pick.method for c in configs),
        help=f"{preset.label}: {preset.description}.",
    ):
        start(missing or configs, again=not missing)
        st.rerun()


@st.fragment(run_every=POLL_SECONDS)
def _watch(configs: Sequence[RunConfig]) -> None:
    jobs = {c: job for c in configs if (job := ENGINE.job(run_key(c)))}
    if all(job.state not in ("queued", "running") for job in jobs.values()):
        st.rerun()
    for config, job in jobs.items():
        _show_job(config, job)
    live = {c.pick: _snapshots(job) for c, job in jobs.items()}
    if any(live.values()):
        epochs = max(map(planned_epochs, configs))
        accuracy_charts(
            lambda accuracy: unlearning_figure(live, accuracy, epochs),
            key="live." + ".".join(c.pick.method for c in configs),
            alt="as the run goes on",
        )


def _show_job(config: RunConfig, job: Job) -> None:
    name = pick_name(config.pick)
    bar, button = st.columns([6, 1], vertical_alignment="center")
    if job.state == "queued":
        bar.progress(0.0, f"**{name}**: waiting, number {job.position} in the queue")
    elif job.state == "running":
        share, text = _progress(job)
        bar.progress(share, f"**{name}**: {text}")
    else:
        bar.progress(1.0, f"**{name}**: {job.state}")
        return
    if button.button("Cancel", key=f"cancel.{job.id}", icon=":material/stop_circle:"):
        job.cancel(grace=0.5)


def _progress(job: Job) -> tuple[float, str]:
    """Share done, and in words: what, A_f and A_r, since when, about how much longer."""
    seconds = time.time() - (job.started or time.time())
    message = "starting a worker"
    for event in reversed(job.events()):
        if snapshot := event.data.get("snapshot"):
            done, of = event.data["done"], event.data["of"]
            text = (
                f"{snapshot['label']} · A_f {snapshot['A_f']:.0f} %, A_r {snapshot['A_r']:.0f} % · "
                f"{seconds:.0f} s"
            )
            first = next(e.time for e in job.events() if "snapshot" in e.data)
            if done > 1:
                left = (event.time - first) / (done - 1) * (of - done)
                text += f", about {left:.0f} s to go"
            return done / of, text
        if epoch := event.data.get("training_original"):
            message = f"no network of this seed is shipped, so it is trained first: epoch {epoch}"
            break
        if "message" in event.data:
            message = str(event.data["message"])
            break
    return 0.0, f"{message} · {seconds:.0f} s"


def _snapshots(job: Job) -> list[dict[str, Any]]:
    events = job.events()
    attempt = max((e.attempt for e in events), default=1)
    return [e.data["snapshot"] for e in events if e.attempt == attempt and "snapshot" in e.data]


def _explain_end(job: Job | None) -> None:
    if job is None:
        return
    if job.state == "cancelled":
        st.info("The run was cancelled. Nothing else was lost.", icon=":material/stop_circle:")
    elif job.state == "failed":
        error = job.future.exception()
        reference = error.reference if isinstance(error, JobFailed) else job.id
        sentence = error.sentence if isinstance(error, JobFailed) else "The run failed."
        st.error(f"{sentence} Reference {reference}.", icon=":material/error:")


def _expectation(configs: Sequence[RunConfig]) -> str:
    """How long two methods take on two CPU cores, in words; measured, see ``benchmarks``."""
    scenario = configs[0].scenario
    if not (
        CHECKPOINTS / checkpoint_name(scenario.dataset, scenario.model, scenario.seed)
    ).exists():
        return (
            "long: the original network of this choice is not shipped and is trained first, "
            "minutes for the small network, an hour for the full AllCNN, longer for the others, on "
            "two CPU cores"
        )
    if scenario.model != "allcnn-small":
        return "an hour or more on two CPU cores, minutes on a GPU"
    minutes = "about a minute" if scenario.preset == "classroom" else "about ten minutes"
    return f"{minutes} on two CPU cores"
