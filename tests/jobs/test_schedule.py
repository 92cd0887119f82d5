"""Who runs next, and how honest the forecast is."""

import random
from dataclasses import dataclass, replace

import pytest

from pru_demo.jobs.protocol import Priority, Request
from pru_demo.jobs.schedule import Limits, forecast, in_order, next_job, refusal

INTERACTIVE = Request("module:task", {}, "key", visitor="a")
BATCH = replace(INTERACTIVE, priority="batch")


@dataclass(frozen=True)
class Asked:
    number: int
    request: Request
    expected: float | None


def ask(
    number: int,
    visitor: str = "a",
    priority: Priority = "interactive",
    expected: float | None = 10.0,
) -> Asked:
    return Asked(number, replace(INTERACTIVE, visitor=visitor, priority=priority), expected)


def test_interactive_goes_before_batch_and_within_each_the_first_comes_first() -> None:
    jobs = [ask(1, priority="batch"), ask(3), ask(2), ask(4, priority="batch")]
    assert [job.number for job in in_order(jobs)] == [2, 3, 1, 4]


def test_nothing_starts_without_a_free_slot() -> None:
    assert next_job([ask(2, "b")], [ask(1)], Limits(slots=1)) is None
    assert next_job([ask(2, "b")], [ask(1)], Limits(slots=2)) == ask(2, "b")


def test_who_has_one_running_is_passed_over() -> None:
    waiting, running = [ask(2, "a"), ask(3, "b")], [ask(1, "a")]
    assert next_job(waiting, running, Limits(slots=3)) == ask(3, "b")
    assert next_job(waiting[:1], running, Limits(slots=3)) is None


def test_batch_jobs_fill_all_slots_and_do_not_count_for_their_visitor() -> None:
    running = [ask(1, priority="batch")]
    assert next_job([ask(2, priority="batch")], running, Limits(slots=2)) is not None
    assert next_job([ask(2)], running, Limits(slots=2)) == ask(2)


def test_the_forecast_counts_what_runs_and_what_waits_before() -> None:
    waiting = [ask(2, "b"), ask(3, "c", expected=20.0), ask(4, "d")]
    starts = forecast(waiting, [(ask(1), 4.0)], Limits(slots=1))
    assert starts == {2: 6.0, 3: 16.0, 4: 36.0}


def test_two_slots_halve_the_wait() -> None:
    waiting = [ask(3, "c"), ask(4, "d")]
    running = [(ask(1), 4.0), (ask(2, "b"), 9.0)]
    assert forecast(waiting, running, Limits(slots=2)) == {3: 1.0, 4: 6.0}


def test_what_runs_longer_than_expected_may_end_at_any_moment() -> None:
    assert forecast([ask(2, "b")], [(ask(1), 99.0)], Limits(slots=1)) == {2: 0.0}


def test_after_an_unknown_duration_nothing_is_foretold() -> None:
    waiting = [ask(2, "b", expected=None), ask(3, "c")]
    assert forecast(waiting, [(ask(1), 4.0)], Limits(slots=1)) == {2: 6.0, 3: None}
    assert forecast(waiting, [(ask(1, expected=None), 4.0)], Limits(slots=1)) == {2: None, 3: None}


@pytest.mark.parametrize("seed", range(20))
def test_the_forecast_starts_jobs_in_the_order_of_the_rules(seed: int) -> None:
    draw = random.Random(seed)
    jobs = [
        ask(n, draw.choice("abc"), draw.choice(("interactive", "batch")), draw.uniform(1, 9))
        for n in range(12)
    ]
    limits = Limits(slots=draw.randint(1, 3))
    starts = forecast(jobs, [], limits)
    assert None not in starts.values()
    # Play the same day minute by minute, with the rule for the next job only.
    waiting, running, now, begun = list(jobs), [], 0.0, {}
    while waiting:
        while job := next_job(waiting, [each for _, each in running], limits):
            begun[job.number] = now
            waiting.remove(job)
            running.append((now + (job.expected or 0), job))
        if waiting:
            now = min(end for end, _ in running)
            running = [each for each in running if each[0] > now]
    assert starts == begun


@pytest.mark.parametrize(
    ("seconds", "when"),
    [
        (None, "in a few minutes"),
        (3, "in about 1 minute"),
        (89, "in about 1 minute"),
        (200, "in about 3 minutes"),
    ],
)
def test_a_full_queue_says_when_to_try_again(seconds: float | None, when: str) -> None:
    full = Limits(slots=1, waiting=2)
    waiting = [ask(1, "b"), ask(2, "c")]
    assert refusal(BATCH, waiting, full, seconds) == f"The queue is full; try again {when}."
    assert refusal(BATCH, waiting[:1], full, seconds) is None


def test_a_visitor_may_have_a_few_runs_waiting_and_batch_jobs_do_not_count() -> None:
    limits = Limits(slots=1, waiting_per_visitor=2)
    waiting = [ask(1), ask(2), ask(3, priority="batch")]
    said = refusal(INTERACTIVE, waiting, limits, None)
    assert said is not None
    assert said.startswith("You already have 2 runs waiting;")
    assert refusal(replace(INTERACTIVE, visitor="b"), waiting, limits, None) is None
    assert refusal(BATCH, waiting, limits, None) is None
