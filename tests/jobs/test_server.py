"""The decisions of the engine process, with workers and a clock that obey the test."""

import json
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty
from types import SimpleNamespace
from typing import Any

import pytest

from pru_demo.jobs import protocol
from pru_demo.jobs import server as module
from pru_demo.jobs.journal import DURATIONS_KEPT, Durations, Journal
from pru_demo.jobs.link import (
    Hello,
    JobTold,
    Leave,
    Message,
    Outcome,
    Queue,
    Reply,
    Said,
    Submit,
    from_json,
    to_json,
)
from pru_demo.jobs.protocol import ORPHAN_SECONDS, Cancel, Event, Failure, JobFacts, Request, Watch
from pru_demo.jobs.schedule import Limits
from pru_demo.jobs.server import IDLE_SECONDS, WATCHING_SECONDS, Server
from pru_demo.jobs.workers import OnMessage, WorkerGone, Workers

DAY = 86_400.0


class Clock:
    """Wall clock and monotonic clock, which only the second never goes back."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_000_000.0, 100.0

    def go(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


class Bench(Workers):
    """Workers that do nothing but what the test says."""

    def __init__(self) -> None:
        self.slots = 1
        self.on_message: OnMessage = lambda _: None
        self.calls: dict[tuple[str, int], Future[None]] = {}
        self.asked: list[str] = []
        self.stopped = False

    def start(self, id: str, attempt: int, request: Request) -> Future[None]:
        self.calls[id, attempt] = Future()
        return self.calls[id, attempt]

    def ask_to_stop(self, id: str) -> None:
        self.asked.append(id)

    def forget(self, id: str) -> None: ...

    def stop(self) -> None:
        self.stopped = True

    def report(self, id: str, attempt: int = 1, **event: Any) -> None:
        self.on_message(Said(id, Event(0, attempt, 0.0, event)))

    def finish(self, id: str, attempt: int = 1, **outcome: Any) -> None:
        self.on_message(Outcome(id, attempt, **({"state": "done"} | outcome)))


class Listener:
    """A client that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.hung_up = False

    def send(self, message: Message) -> None:
        self.told.append(from_json(to_json(message)))

    def start(self) -> None: ...

    def hang_up(self) -> None:
        self.hung_up = True

    def heard(self, kind: type[Any]) -> list[Any]:
        """All messages of a kind."""
        return [told for told in self.told if isinstance(told, kind)]

    def told_of(self) -> dict[str, JobTold]:
        """What was last told of each job."""
        told = [job for hello in self.heard(Hello) for job in hello.jobs] + self.heard(JobTold)
        return {each.facts.id: each for each in told}

    def jobs(self) -> dict[str, JobFacts]:
        return {id: told.facts for id, told in self.told_of().items()}


class Engine:
    """A server, its surroundings, and a client that submits."""

    def __init__(self, folder: Path, clock: Clock, **limits: int) -> None:
        self.folder, self.clock, self.workers = folder, clock, Bench()
        self.server = Server(
            self.workers,
            Journal(folder / "jobs"),
            Durations(folder / "durations.json"),
            Limits(**{"slots": 1, **limits}),
        )
        self.client = Listener()
        self.server.welcome(self.client)  # type: ignore[arg-type]

    def submit(self, key: str, visitor: str = "ann", **request: Any) -> str:
        """The id of the job; what refused it, if it was."""
        self.say(Submit(1, Request("t", {}, key, visitor, shape="s", **request)))
        reply: Reply = self.client.heard(Reply)[-1]
        return reply.id or reply.refused

    def say(self, message: Message, client: Listener | None = None) -> None:
        self.server.handle(client or self.client, message)  # type: ignore[arg-type]
        self.pump()

    def pump(self) -> None:
        """Do all that waits in the inbox, then what is done every so often."""
        while True:
            try:
                self.server.inbox.get(block=False)()
            except Empty:
                break
        self.server._tick()

    def wait(self, seconds: float) -> None:
        self.clock.go(seconds)
        self.pump()

    def state(self, id: str) -> str:
        return self.client.jobs()[id].state

    def position(self, id: str) -> Any:
        return self.client.heard(Queue)[-1].places.get(id)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    fake = SimpleNamespace(time=lambda: clock.wall, monotonic=lambda: clock.steady)
    monkeypatch.setattr(module, "time", fake)
    return clock


@pytest.fixture
def start(tmp_path: Path, clock: Clock) -> Callable[..., Engine]:
    """Start an engine, or the next one in the same place."""
    return lambda **limits: Engine(tmp_path, clock, **limits)


Start = Callable[..., Engine]


def test_a_visitor_who_cancels_does_not_stop_a_run_that_others_follow(start: Start) -> None:
    engine = start()
    job = engine.submit("k", "ann")
    assert engine.submit("k", "bob") == job
    assert engine.client.told_of()[job].watchers == 2
    engine.say(Cancel(job, "ann", 1.0))
    assert engine.workers.asked == []
    engine.say(Cancel(job, "bob", 1.0))
    assert engine.workers.asked == [job]


def test_who_runs_it_again_does_not_join_a_run_that_is_being_stopped(start: Start) -> None:
    engine = start()
    job = engine.submit("k", "ann")
    engine.say(Cancel(job, "ann", 1.0))
    again = engine.submit("k", "ann")
    assert again != job
    engine.workers.finish(job, state="cancelled")
    engine.pump()
    assert engine.state(again) == "running"


def test_who_has_not_looked_for_long_does_not_count_when_another_cancels(start: Start) -> None:
    engine = start()
    job = engine.submit("k", "ann")
    engine.submit("k", "bob")
    engine.wait(WATCHING_SECONDS + 1)
    engine.say(Watch(job, "ann"))
    engine.say(Cancel(job, "ann", 1.0))
    assert engine.workers.asked == [job]


def test_an_orphan_is_stopped_after_its_grace_time_and_not_before(start: Start) -> None:
    engine = start()
    job = engine.submit("k", "ann")
    engine.wait(ORPHAN_SECONDS - 1)
    assert engine.workers.asked == []
    engine.say(Watch(job, "ann"))
    engine.wait(ORPHAN_SECONDS - 1)
    assert engine.workers.asked == []
    engine.wait(2)
    assert engine.workers.asked == [job]


def test_a_waiting_orphan_leaves_the_queue(start: Start) -> None:
    engine = start()
    first, second = engine.submit("1", "ann"), engine.submit("2", "bob")
    engine.wait(ORPHAN_SECONDS - 1)
    engine.say(Watch(first, "ann"))
    engine.wait(2)
    assert (engine.state(first), engine.state(second)) == ("running", "cancelled")


def test_the_next_visitor_runs_before_the_second_run_of_the_first(start: Start) -> None:
    engine = start(slots=2)
    one, two, other = (engine.submit(*ask) for ask in (("1", "ann"), ("2", "ann"), ("3", "bob")))
    assert [engine.state(job) for job in (one, two, other)] == ["running", "queued", "running"]
    engine.workers.finish(one)
    engine.pump()
    assert engine.state(two) == "running"


def test_a_refused_job_leaves_nothing_behind(start: Start) -> None:
    engine = start(waiting=1)
    engine.submit("1", "ann")
    engine.submit("2", "bob")
    assert engine.submit("3", "cleo") == "The queue is full; try again in a few minutes."
    assert len(engine.client.jobs()) == 2
    assert len(list((engine.folder / "jobs").iterdir())) == 2


def test_waiting_times_are_unknown_until_a_run_of_the_shape_was_measured(start: Start) -> None:
    engine = start()
    first, second = engine.submit("1", "ann"), engine.submit("2", "bob")
    assert engine.position(second) == [1, None]
    engine.wait(30)
    engine.workers.report(first, step=1)
    engine.workers.finish(first)
    engine.pump()
    third = engine.submit("3", "cleo")
    assert engine.server._jobs[third].expected == 30
    # The second began before any was measured, so when it ends is still unknown.
    assert engine.position(third) == [1, None]
    engine.workers.finish(second)
    engine.pump()
    fourth = engine.submit("4", "dora")
    assert engine.position(fourth) == [1, 30]


@pytest.mark.parametrize(
    ("reports", "state", "measured"), [(1, "done", True), (0, "done", False), (1, "failed", False)]
)
def test_only_runs_that_computed_something_to_the_end_are_measured(
    start: Start, reports: int, state: str, measured: bool
) -> None:
    engine = start()
    job = engine.submit("1")
    engine.wait(7)
    for _ in range(reports):
        engine.workers.report(job, step=1)
    failure = Failure("It failed.", "ValueError") if state == "failed" else None
    engine.workers.finish(job, state=state, failure=failure)
    engine.pump()
    assert (Durations(engine.folder / "durations.json").expected("s") == 7) == measured


def test_a_clock_that_goes_back_changes_neither_order_nor_graces_nor_forecasts(
    start: Start,
) -> None:
    engine = start()
    first = engine.submit("1", "ann")
    engine.wait(30)
    engine.clock.wall -= DAY
    second, third = engine.submit("2", "bob"), engine.submit("3", "cleo")
    assert [engine.position(job)[0] for job in (second, third)] == [1, 2]
    engine.wait(ORPHAN_SECONDS - 31)
    assert engine.workers.asked == []
    engine.workers.report(first, step=1)
    engine.workers.finish(first)
    engine.pump()
    expected = Durations(engine.folder / "durations.json").expected("s")
    assert expected == ORPHAN_SECONDS - 1


def test_a_new_engine_goes_on_with_what_the_last_one_left(start: Start) -> None:
    engine = start()
    running = engine.submit("running", "ann", retries=1)
    waiting = engine.submit("waiting", "bob")
    engine.workers.report(running, step=1)
    engine.pump()

    after_kill = start()
    assert after_kill.client.jobs()[running].state == "queued"
    after_kill.server._fill_slots()
    assert (running, 2) in after_kill.workers.calls, "it counts as its second attempt"
    after_kill.workers.report(running, attempt=2, step=2)
    after_kill.pump()
    numbers = [said.event.number for said in after_kill.client.heard(Said)]
    assert numbers == [2], "numbers of events go on"
    assert after_kill.state(waiting) == "queued"


def test_a_run_without_attempts_left_is_interrupted_and_says_how_far_it_came(
    start: Start,
) -> None:
    engine = start()
    job = engine.submit("k")
    engine.workers.report(job, step=6)
    engine.pump()
    told = start().client.told[0].jobs[0]
    assert told.facts.state == "interrupted"
    assert told.facts.failure.sentence == "The computation was interrupted when the engine ended."
    assert [event.data for event in told.events] == [{"step": 6}]


def test_leaving_costs_a_run_none_of_its_retries(start: Start) -> None:
    engine = start()
    job = engine.submit("k")
    engine.say(Leave())
    engine.server.run()
    assert engine.workers.stopped
    after = start()
    assert after.client.jobs()[job].state == "queued", "without retries it would be interrupted"
    after.server._fill_slots()
    assert (job, 2) in after.workers.calls
    after.workers.calls[job, 2].set_exception(WorkerGone("It died."))
    after.pump()
    assert after.state(job) == "failed", "a death does count"


def test_a_run_that_was_cancelled_before_leaving_does_not_come_back(start: Start) -> None:
    engine = start()
    job = engine.submit("k", "ann", retries=1)
    engine.say(Cancel(job, "ann", 9.0))
    engine.say(Leave())
    engine.server.run()
    assert start().client.jobs()[job].state == "cancelled"


def test_only_the_last_client_that_leaves_ends_the_engine(start: Start) -> None:
    engine, other = start(), Listener()
    engine.server.welcome(other)  # type: ignore[arg-type]
    engine.say(Leave(), other)
    assert other.hung_up
    assert engine.server._serving
    engine.say(Leave())
    assert not engine.server._serving


def test_an_engine_that_nobody_uses_ends_unless_it_computes(start: Start) -> None:
    engine = start()
    job = engine.submit("k")
    engine.server.farewell(engine.client)  # type: ignore[arg-type]
    engine.wait(IDLE_SECONDS + 1)
    assert engine.server._serving, "the web server was killed, its run goes on"
    engine.workers.finish(job)
    engine.pump()
    assert not engine.server._serving


def test_an_idle_engine_stays_while_somebody_is_connected(start: Start) -> None:
    engine = start()
    engine.wait(10 * IDLE_SECONDS)
    assert engine.server._serving


def test_what_a_dead_attempt_still_says_is_dropped(start: Start) -> None:
    engine = start()
    job = engine.submit("k", retries=1)
    engine.workers.calls[job, 1].set_exception(WorkerGone("It died."))
    engine.pump()
    engine.workers.report(job, attempt=1, step="late")
    engine.workers.finish(job, attempt=1, result="late")
    engine.pump()
    assert engine.state(job) == "running"
    assert engine.client.heard(Said) == []


def test_a_worker_that_dies_once_too_often_fails_the_job_with_its_sentence(start: Start) -> None:
    engine = start()
    job = engine.submit("k", retries=1)
    for attempt in (1, 2):
        engine.workers.calls[job, attempt].set_exception(WorkerGone("It died."))
        engine.pump()
    assert engine.client.jobs()[job].failure.sentence == "It died."


def test_old_jobs_are_forgotten_also_by_the_journal(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "RECENT_JOBS", 5)
    engine = start()
    for number in range(5 + 3):
        engine.workers.finish(engine.submit(str(number)))
        engine.pump()
    assert len(list((engine.folder / "jobs").iterdir())) == 5
    assert len(start().client.told[0].jobs) == 5


# ---- what is written down ----------------------------------------------------------------------


def test_a_journal_entry_that_is_damaged_or_of_another_version_is_left_out(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    engine = start()
    good, bad = engine.submit("good", "ann"), engine.submit("bad", "bob")
    (engine.folder / "jobs" / f"{bad}.json").write_text('{"id": "half')
    (engine.folder / "jobs" / "foreign.json").write_text("[1, 2]")
    request = {"task": "t", "arguments": {}, "key": "k", "visitor": "v", "cpus": 1, "gpus": 0}
    old = {"id": "old", "number": 3, "request": request, "submitted": 1.0, "state": "queued"}
    (engine.folder / "jobs" / "old.json").write_text(json.dumps(old))
    older = to_json(JobFacts("older", 4, Request("t", {}, "k"))).replace(b'"shape"', b'"form"')
    (engine.folder / "jobs" / "older.json").write_bytes(older)
    assert list(start().client.jobs()) == [good]
    assert caplog.text.count("is damaged and left out") == 4


def test_a_kill_while_a_journal_entry_is_written_leaves_the_old_one(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = start()
    job = engine.submit("k", retries=1)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        engine.submit("other", "bob")
    monkeypatch.undo()
    assert Journal(engine.folder / "jobs").read()[0].id == job


def test_a_full_disk_stops_no_job(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    engine = start()
    monkeypatch.setattr(Path, "open", full)
    job = engine.submit("k")
    engine.workers.report(job, step=1)
    engine.workers.finish(job)
    engine.pump()
    assert engine.state(job) == "done"
    assert "No space left on device" in caplog.text


def test_durations_are_the_median_of_the_latest(tmp_path: Path) -> None:
    durations = Durations(tmp_path / "d.json")
    assert durations.expected("s") is None
    for seconds in [1000.0] * 5 + [10.0] * DURATIONS_KEPT:
        durations.add("s", seconds)
    assert Durations(tmp_path / "d.json").expected("s") == 10.0
    assert durations.expected("another shape") is None


@pytest.mark.parametrize("text", ["", "[]", '{"s": 3}', '{"s": ["x"]}'])
def test_damaged_durations_are_measured_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "d.json").write_text(text)
    durations = Durations(tmp_path / "d.json")
    durations.add("s", 5.0)
    assert Durations(tmp_path / "d.json").expected("s") == 5.0
