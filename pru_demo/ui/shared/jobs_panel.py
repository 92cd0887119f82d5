"""What the engine computes for a page: asked for, watched, and what is said when it ended badly.

Runs, maps and measurements differ only in what they hand over.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from pru_demo.config import RunConfig
from pru_demo.figures.naming import pick_name
from pru_demo.jobs.protocol import IN_FLIGHT, EngineUnavailable, Job, JobFailed, JobState, Refused
from pru_demo.ui.shared.services import ENGINE
from pru_demo.ui.shared.texts import text
from pru_demo.ui.visitor import visitor

POLL_SECONDS = 0.5
# The line on page Runs is about everybody's jobs, which nobody waits for.
LINE_POLL_SECONDS = 2.0

# As many as a visitor may have waiting.
AT_ONCE = 6

# The boxes in which is said how a job ended, and their icons.
Box = tuple[Callable[..., object], str]
FAILED: Box = (st.error, ":material/error:")
STOPPED: Box = (st.info, ":material/stop_circle:")
INTERRUPTED: Box = (st.warning, ":material/power_off:")
Endings = Mapping[JobState, tuple[Box, str]]

T = TypeVar("T")


def submit(
    task: str, arguments: dict[str, Any], *, key: str, shape: str, timeout: float | None = None
) -> bool:
    """Have ``task`` done, or join whoever asked for the same ``key`` before.

    False, having said why, if the engine does not take it.
    """
    try:
        ENGINE.submit(
            task, arguments, key=key, visitor=visitor(), shape=shape, retries=1, timeout=timeout
        )
    except (Refused, EngineUnavailable) as problem:
        st.error(str(problem), icon=":material/hourglass_disabled:")
        return False
    return True


def jobs_of(keys: Mapping[T, str]) -> dict[T, Job]:
    """The jobs of these keys that the engine knows, also from other sessions, ended ones too."""
    jobs = {of: ENGINE.job(key) for of, key in keys.items()}
    return {of: job for of, job in jobs.items() if job is not None}


def in_flight(keys: Iterable[str]) -> bool:
    """Whether any job of these keys waits or runs."""
    jobs = map(ENGINE.job, keys)
    return any(job is not None and job.state in IN_FLIGHT for job in jobs)


@st.fragment(run_every=POLL_SECONDS)
def watch(
    keys: Mapping[T, str],
    show: Callable[[dict[T, Job]], None],
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    """Keep ``show`` up to date; once all jobs have ended, or earlier, the page is drawn anew."""
    jobs = jobs_of(keys)
    if not any(job.state in IN_FLIGHT for job in jobs.values()) or is_over():
        st.rerun()
    for job in jobs.values():
        if job.state in IN_FLIGHT and not has_left(job):
            job.watch(visitor())
    show(jobs)


@dataclass(frozen=True)
class Offered:
    """What :func:`submit` takes for one run."""

    task: str
    arguments: dict[str, Any]
    key: str
    shape: str


def any_goes_on(
    keys: Mapping[RunConfig, str], is_over: Callable[[], bool], endings: Endings
) -> bool:
    """Whether something of ``keys`` is under way, which is shown until ``is_over``: what is
    finished is shown while the rest goes on. If not, it is said how what was asked for ended."""
    if in_flight(keys.values()):
        watch(keys, show_progress, is_over)
        return True
    for run, job in jobs_of(keys).items():
        explain_end(job, endings, name=pick_name(run.pick))
    return False


def offer(
    offered: Iterable[Offered], said: str, label: str, *, key: str, icon: str, needed: bool
) -> None:
    """Say what is missing and have it computed on a click; what is ``needed`` stands out."""
    if needed:
        st.info(said, icon=":material/hourglass_empty:")
    else:
        st.caption(said)
    if st.button(label, key=key, icon=icon, type="primary" if needed else "secondary") and all(
        submit(each.task, each.arguments, key=each.key, shape=each.shape) for each in offered
    ):
        st.rerun()


def leave(job: Job) -> None:
    """The visitor wants the job no longer: it is cancelled, or goes on for the others."""
    st.session_state[_left_key(job)] = job.watchers > 1
    job.cancel(visitor(), grace=0.5)


def has_left(job: Job) -> bool:
    """Whether the visitor has left a job that others still follow."""
    return bool(st.session_state.get(_left_key(job)))


def last_event(job: Job) -> dict[str, Any]:
    """What the task said last; empty before it said anything."""
    events = job.events()
    return events[-1].data if events else {}


def show_progress(jobs: Mapping[RunConfig, Job]) -> None:
    """A bar for each run that something is computed of, with what is done to it."""
    for run, job in jobs.items():
        event, share, said = last_event(job), 1.0, str(job.state)
        if job.state == "queued":
            share, said = 0.0, f"waiting, number {job.position} in the queue"
        elif job.state == "running":
            share, said = event.get("share", 0.0), event.get("message", "starting a worker")
        st.progress(share, f"**{pick_name(run.pick)}**: {said}")


def explain_end(job: Job | None, endings: Endings, **words: str) -> bool:
    """Say how a job ended that has left no result; False if it has, or is on its way.

    ``endings`` hold a box and a sentence for each state; ``words`` fill it in, beside the failure's
    own ``{sentence}`` and the ``{reference}`` of its traceback.
    """
    if job is None or job.state not in endings:
        return False
    error = job.future.exception()
    if isinstance(error, JobFailed):
        words |= {"sentence": error.sentence, "reference": error.reference}
    (box, icon), sentence = endings[job.state]
    box(sentence.format(**words), icon=icon)
    return True


def queue_line() -> None:
    """Count everybody's jobs in flight, if there are any; when one ends, the page is drawn anew."""
    if keys := {job.key for job in ENGINE.jobs() if job.state in IN_FLIGHT}:
        _line(keys)


@st.fragment(run_every=LINE_POLL_SECONDS)
def _line(before: set[str]) -> None:
    jobs = [job for job in ENGINE.jobs() if job.state in IN_FLIGHT]
    if before - {job.key for job in jobs}:
        st.rerun()
    words: dict[JobState, str] = {"running": "running", "queued": "waiting"}
    states = Counter(job.state for job in jobs)
    counts = [f"{states[state]} {word}" for state, word in words.items() if states[state]]
    st.markdown(text("runs.in_flight", counts=", ".join(counts)))


def _left_key(job: Job) -> str:
    return f"left.{job.id}"
