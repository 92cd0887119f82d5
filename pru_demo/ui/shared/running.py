"""Starting runs, watching them, cancelling them: one panel used by every page."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from pru_demo.config import SMALLEST_BATCH, RunConfig, planned_epochs, setting_of
from pru_demo.experiment.keys import run_key
from pru_demo.experiment.record import Snapshot
from pru_demo.experiment.tasks import RUN, shape_of
from pru_demo.figures.curves import unlearning_figure
from pru_demo.figures.naming import listed, pick_name
from pru_demo.jobs.protocol import OUT_OF_MEMORY, Job, JobFailed
from pru_demo.models import checkpoint_name
from pru_demo.paths import CHECKPOINTS
from pru_demo.settings import PRESETS
from pru_demo.ui.shared.charts import accuracy_charts
from pru_demo.ui.shared.jobs_panel import (
    FAILED,
    INTERRUPTED,
    STOPPED,
    Endings,
    explain_end,
    has_left,
    in_flight,
    jobs_of,
    leave,
    submit,
    watch,
)
from pru_demo.ui.shared.state import current_view, show
from pru_demo.ui.shared.texts import text
from pru_demo.ui.visitor import owner, visitor

# After this long without an event, the visitor is told that there are none.
SILENT_SECONDS = 60.0
# Far beyond what any run needs on a laptop: it ends only what hangs.
TIME_LIMIT_SECONDS = 24 * 3600.0

_ENDINGS: Endings = {
    "cancelled": (STOPPED, "{name} was cancelled. Nothing else was lost."),
    "interrupted": (INTERRUPTED, "{name} was interrupted{where}. Reference {reference}."),
    "failed": (FAILED, "{sentence} Reference {reference}."),
}


def start(configs: Sequence[RunConfig], *, again: bool = False, resume: bool = False) -> bool:
    """Submit runs; who asks for one that is on its way joins it.

    ``again``: also if there is a result; ``resume``: go on with what an interrupted run has left.
    Returns False, having said why, if the engine does not take them.
    """
    how = {"again": again, "resume": resume, "owner": owner(visitor())}
    return all(
        submit(
            RUN,
            {"config": config.content(), **how},
            key=run_key(config),
            shape=shape_of(config),
            timeout=TIME_LIMIT_SECONDS,
        )
        for config in configs
    )


def is_running(configs: Sequence[RunConfig]) -> bool:
    """Whether any of them is on its way, also if another session or reload started it."""
    return in_flight(map(run_key, configs))


def run_panel(configs: Sequence[RunConfig], missing: Sequence[RunConfig]) -> None:
    """Offer to run what is missing (or everything again), or show what is running."""
    if is_running(configs):
        watch(_keys(configs), _show_jobs)
        return
    for config, job in jobs_of(_keys(configs)).items():
        _explain_end(config, job)
    preset = PRESETS[configs[0].scenario.preset]
    names = listed([pick_name(c.pick) for c in missing or configs])
    if missing:
        st.info(
            text("shared.not_computed", names=names, expected=_expectation(configs)),
            icon=":material/hourglass_empty:",
        )
    if st.button(
        f"Run {names}" if missing else f"Run {names} again, live",
        icon=":material/play_arrow:",
        type="primary" if missing else "secondary",
        key="run." + ".".join(c.pick.stem for c in configs),
        help=f"{preset.label}: {preset.description}.",
    ) and start(missing or configs, again=not missing):
        st.rerun()


def _keys(configs: Sequence[RunConfig]) -> dict[RunConfig, str]:
    return {config: run_key(config) for config in configs}


def _show_jobs(jobs: Mapping[RunConfig, Job]) -> None:
    """How far each run is, and below them their curves so far."""
    for config, job in jobs.items():
        _show_job(config, job)
    live = {config.pick: _snapshots(job) for config, job in jobs.items()}
    if any(live.values()):
        epochs = max(map(planned_epochs, jobs))
        accuracy_charts(
            lambda accuracy: unlearning_figure(live, accuracy, epochs),
            key="live." + ".".join(config.pick.stem for config in jobs),
            alt="as the run goes on",
        )


def _show_job(config: RunConfig, job: Job) -> None:
    name = pick_name(config.pick)
    bar, button = st.columns([6, 1], vertical_alignment="center")
    if job.state == "queued":
        bar.progress(0.0, f"**{name}**: {_place(job)}")
    elif job.state == "running":
        share, said = _progress(job)
        bar.progress(share, f"**{name}**: {said}")
    else:
        bar.progress(1.0, f"**{name}**: {job.state}")
        return
    if has_left(job):
        others = "Another visitor follows" if job.watchers == 1 else f"{job.watchers} others follow"
        bar.caption(f"{others} it, so it goes on.")
    elif button.button("Cancel", key=f"cancel.{job.id}", icon=":material/stop_circle:"):
        leave(job)


def _place(job: Job) -> str:
    """Where in the queue, and when it will start as far as measured runs tell."""
    place = f"waiting, number {job.position} in the queue"
    if job.wait is None:
        return f"{place}; no run like those before it has been timed here yet"
    return f"{place}, starts in about {_duration(job.wait)}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _progress(job: Job) -> tuple[float, str]:
    """Share done, and in words: what, A_f and A_r, since when, about how much longer."""
    now, events = time.time(), job.events()
    # Never negative, even if the clock was set back.
    seconds = max(0.0, now - (job.started or now))
    told = events[-1].data if events else {}
    share, message = 0.0, told.get("message", "starting a worker")
    if snapshot := told.get("snapshot"):
        done, of = told["done"], told["of"]
        share = done / of
        said = (
            f"{snapshot['label']} · A_f {snapshot['A_f']:.0f} %, A_r {snapshot['A_r']:.0f} % · "
            f"{seconds:.0f} s"
        )
        if done > 1:
            first = next(event.time for event in events if "snapshot" in event.data)
            left = (events[-1].time - first) / (done - 1) * (of - done)
            said += f", about {_duration(left)} to go"
    else:
        if epoch := told.get("training_original"):
            message = f"no network of this seed is shipped, so it is trained first: epoch {epoch}"
        said = f"{message} · {_duration(seconds)}"
    # It may hang, and can be cancelled.
    silence = now - (events[-1].time if events else job.started or now)
    return share, said + (
        f" · no news for {_duration(silence)}" if silence > SILENT_SECONDS else ""
    )


def _snapshots(job: Job) -> list[Snapshot]:
    events = job.events()
    attempt = max((e.attempt for e in events), default=1)
    told = [e.data["snapshot"] for e in events if e.attempt == attempt and "snapshot" in e.data]
    return [Snapshot(**{k: v for k, v in each.items() if k != "label"}) for each in told]


def _explain_end(config: RunConfig, job: Job) -> None:
    """How the last job of ``config`` ended, if not well, and what can be done about it."""
    name = pick_name(config.pick)
    if not explain_end(job, _ENDINGS, name=name, where=_how_far(job)):
        return
    error = job.future.exception()
    if job.state == "interrupted":
        if st.button(
            f"Resume {name}", key=f"resume.{job.id}", icon=":material/resume:", type="primary"
        ) and start([config], again=True, resume=True):
            st.rerun()
    elif isinstance(error, JobFailed) and error.kind in OUT_OF_MEMORY:
        _offer_smaller_batches(config, job)


def _how_far(job: Job) -> str:
    labels = [e.data["snapshot"]["label"] for e in job.events() if "snapshot" in e.data]
    return f" at “{labels[-1]}”" if labels else ""


def _offer_smaller_batches(config: RunConfig, job: Job) -> None:
    now = getattr(setting_of(config).params, "batch_size", config.scenario.max_batch)
    if now is None or now // 2 < SMALLEST_BATCH:
        return
    if st.button(
        f"Use batches of {now // 2} images",
        key=f"smaller.{job.id}",
        icon=":material/memory_alt:",
        help=text("shared.smaller_batches"),
    ):
        view = current_view()
        show(replace(view, scenario=replace(view.scenario, max_batch=now // 2)))
        st.rerun()


def _expectation(configs: Sequence[RunConfig]) -> str:
    """How long two methods take on two CPU cores, in words; measured, see ``benchmarks``."""
    scenario = configs[0].scenario
    if not (
        CHECKPOINTS / checkpoint_name(scenario.dataset, scenario.model, scenario.seed)
    ).exists():
        return text("shared.long_original")
    if scenario.model != "allcnn-small":
        return text("shared.long_network")
    minutes = "about a minute" if scenario.preset == "classroom" else "about ten minutes"
    return f"{minutes} on two CPU cores"
