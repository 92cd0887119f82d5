"""Who runs next, who must wait, and for how long: rules without processes, threads or clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pru_demo.jobs.protocol import Priority, Request

_RANK: dict[Priority, int] = {"interactive": 0, "batch": 1}


@dataclass(frozen=True)
class Limits:
    """How many jobs run and wait; those per visitor hold for interactive jobs only."""

    slots: int
    running_per_visitor: int = 1
    waiting_per_visitor: int = 6
    waiting: int = 200


class Asked(Protocol):
    """What the rules need to know of a job; ``expected`` in seconds, None if not known."""

    number: int
    request: Request
    expected: float | None


J = TypeVar("J", bound=Asked)


def in_order(waiting: Sequence[J]) -> list[J]:
    """Interactive before batch, within each first come first served."""
    return sorted(waiting, key=lambda job: (_RANK[job.request.priority], job.number))


def next_job(waiting: Sequence[J], running: Sequence[J], limits: Limits) -> J | None:
    """The job to start now, or None.

    Who has enough running is passed over, so that one visitor cannot occupy the machine.
    """
    if len(running) >= limits.slots:
        return None
    for job in in_order(waiting):
        own = _interactive(running, job.request.visitor)
        if job.request.priority == "batch" or own < limits.running_per_visitor:
            return job
    return None


def forecast(
    waiting: Sequence[J], running: Sequence[tuple[J, float]], limits: Limits
) -> dict[int, float | None]:
    """Seconds until each waiting job starts, by number; None where a duration is not known.

    ``running``: jobs with the seconds they have been running. Plays the rules forward.
    """
    busy: list[tuple[float | None, J]] = [
        (None if job.expected is None else max(0.0, job.expected - ran), job)
        for job, ran in running
    ]
    left, now = list(waiting), 0.0
    starts: dict[int, float | None] = {job.number: None for job in waiting}
    while left:
        job = next_job(left, [each for _, each in busy], limits)
        if job is not None:
            starts[job.number] = now
            left.remove(job)
            busy.append((None if job.expected is None else now + job.expected, job))
            continue
        ends = [end for end, _ in busy if end is not None]
        if len(ends) < len(busy):
            break
        now = min(ends)
        busy = [each for each in busy if each[0] != now]
    return starts


def refusal(
    request: Request, waiting: Sequence[J], limits: Limits, seconds_until_place: float | None
) -> str | None:
    """Why ``request`` cannot be taken, as a sentence, or None if it can."""
    own = _interactive(waiting, request.visitor)
    if request.priority == "interactive" and own >= limits.waiting_per_visitor:
        return (
            f"You already have {own} runs waiting; wait until one of them has started, or cancel "
            "one."
        )
    if len(waiting) >= limits.waiting:
        return f"The queue is full; try again {_about(seconds_until_place)}."
    return None


def _interactive(jobs: Sequence[J], visitor: str) -> int:
    """How many of ``jobs`` are interactive ones of ``visitor``."""
    asked = [job.request for job in jobs]
    return sum(each.priority == "interactive" and each.visitor == visitor for each in asked)


def _about(seconds: float | None) -> str:
    if seconds is None:
        return "in a few minutes"
    minutes = max(1, round(seconds / 60))
    return f"in about {minutes} minute{'s' if minutes > 1 else ''}"
