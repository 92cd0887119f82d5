"""The decisions of an engine process: what is taken, started, stopped, and who is told.

Everything happens on one thread, which takes one action after the other from an inbox; the other
threads only put actions there. Hence no locks. What clients and workers say is in ``link``.
"""

import secrets
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, fields, replace
from functools import partial
from queue import Empty, SimpleQueue

from pebble import ProcessExpired

from pru_demo.jobs.journal import Durations, Journal
from pru_demo.jobs.link import (
    Hello,
    JobTold,
    Leave,
    Link,
    Message,
    Outcome,
    Queue,
    Reply,
    Said,
    Submit,
)
from pru_demo.jobs.protocol import (
    ORPHAN_SECONDS,
    Cancel,
    Event,
    Failure,
    JobFacts,
    JobState,
    Request,
    Watch,
    outlived,
)
from pru_demo.jobs.schedule import Limits, forecast, in_order, next_job, refusal
from pru_demo.jobs.workers import WorkerGone, Workers

Action = Callable[[], None]

TICK_SECONDS = 0.5
# A visitor who has not been heard of for this long does not count when another one cancels.
WATCHING_SECONDS = 20.0
# Long enough for a web server to restart, short enough not to stay behind.
IDLE_SECONDS = 20.0

INTERRUPTED = "The computation was interrupted when the engine ended."
ORPHANED = "Nobody followed the computation any more, so it was stopped."


@dataclass(eq=False)
class ServedJob(JobFacts):
    """A job, and what only its engine process knows of it.

    ``expected``: seconds that jobs of its shape took. ``watchers``, when each visitor was last
    heard of, and ``began``, this attempt, are on the monotonic clock, which no one can set back.
    """

    expected: float | None = None
    events: list[Event] = field(default_factory=list)
    watchers: dict[str, float] = field(default_factory=dict)
    stopping: bool = False
    running: Future[None] | None = None
    began: float = 0.0

    @property
    def may_try_again(self) -> bool:
        """Whether it is started once more after its worker or the engine died."""
        return self.attempt - self.spared <= self.request.retries

    def facts(self) -> JobFacts:
        """What others may know of it."""
        return JobFacts(**{each.name: getattr(self, each.name) for each in fields(JobFacts)})


class Server:
    """Schedules jobs on ``workers``, within ``limits``; ``journal`` survives it."""

    def __init__(
        self, workers: Workers, journal: Journal, durations: Durations, limits: Limits
    ) -> None:
        self.inbox: SimpleQueue[Action] = SimpleQueue()
        self._workers = workers
        self._journal = journal
        self._durations = durations
        self._limits = limits
        self._clients: list[Link] = []
        self._jobs: dict[str, ServedJob] = {}  # in flight and recently ended, by id, oldest first
        self._serving = True
        self._alone_since = time.monotonic()
        workers.on_message = lambda message: self.inbox.put(partial(self._worker_says, message))
        self._recover()

    def run(self) -> None:
        """Serve until told to stop, or until nobody is there and nothing is to be done."""
        self._fill_slots()
        while self._serving:
            try:
                self.inbox.get(timeout=TICK_SECONDS)()
            except Empty:
                self._tick()
        for job in self._jobs.values():
            if job.state == "running" and job.stopping:
                job.state, job.finished = "cancelled", time.time()
            elif job.state == "running":
                job.state, job.spared = "queued", job.spared + 1
            self._journal.write(job.facts())
        self._workers.stop()

    def stop(self) -> None:
        """End after the current action. What runs is resumed by the next engine process."""
        self._serving = False

    # ---- clients ----

    def welcome(self, client: Link) -> None:
        """Tell a new client everything, and listen to it."""
        self._clients.append(client)
        jobs = self._jobs.values()
        client.send(Hello([JobTold(job.facts(), len(job.watchers), job.events) for job in jobs]))
        client.send(self._queue())
        client.start()

    def farewell(self, client: Link) -> None:
        """Forget a client that hung up."""
        client.hang_up()
        if client in self._clients:
            self._clients.remove(client)
        self._alone_since = time.monotonic()

    def handle(self, client: Link, message: Message) -> None:
        match message:
            case Submit(number, request):
                client.send(self._submit(number, request))
            case Watch(id, visitor) if job := self._active(id):
                self._watched(job, visitor)
            case Cancel(id, visitor, grace) if job := self._active(id):
                self._cancel(job, visitor, grace)
            case Leave():
                # The last one is not hung up on before all has ended: it waits for that.
                if self._clients == [client]:
                    self.stop()
                else:
                    self.farewell(client)

    def _active(self, id: str) -> ServedJob | None:
        job = self._jobs.get(id)
        return job if job is not None and job.active else None

    def _submit(self, number: int, request: Request) -> Reply:
        for job in self._jobs.values():
            if job.key == request.key and job.active and not job.stopping:
                self._watched(job, request.visitor)
                return Reply(number, job.id)
        waiting = self._waiting()
        starts = forecast(waiting, self._running(), self._limits).values()
        soonest = min((seconds for seconds in starts if seconds), default=None)
        if why := refusal(request, waiting, self._limits, soonest):
            return Reply(number, refused=why)
        last = max((job.number for job in self._jobs.values()), default=0)
        job = ServedJob(secrets.token_hex(6), last + 1, request)
        job.expected = self._durations.expected(request.shape)
        job.watchers[request.visitor] = time.monotonic()
        self._jobs[job.id] = job
        self._changed(job)
        self._fill_slots()
        return Reply(number, job.id)

    def _watched(self, job: ServedJob, visitor: str) -> None:
        new = visitor not in job.watchers
        job.watchers[visitor] = time.monotonic()
        if new:
            self._tell_of(job)

    def _cancel(self, job: ServedJob, visitor: str, grace: float) -> None:
        now = time.monotonic()
        job.watchers.pop(visitor, None)
        job.watchers = {v: s for v, s in job.watchers.items() if now - s < WATCHING_SECONDS}
        if job.watchers:
            self._tell_of(job)
        else:
            self._stop(job, grace)

    # ---- jobs ----

    def _fill_slots(self) -> None:
        while job := next_job(self._waiting(), [j for j, _ in self._running()], self._limits):
            job.state = "running"
            job.started = job.started or time.time()
            self._start(job)
        self._tell(self._queue())

    def _start(self, job: ServedJob) -> None:
        job.attempt += 1
        job.began = time.monotonic()
        job.running = self._workers.start(job.id, job.attempt, job.request)
        over = partial(self._worker_returned, job, job.attempt)
        job.running.add_done_callback(lambda future: self.inbox.put(partial(over, future)))
        self._changed(job)

    def _worker_says(self, message: Said | Outcome) -> None:
        """What an attempt that is over still says is dropped."""
        attempt = message.event.attempt if isinstance(message, Said) else message.attempt
        job = self._jobs.get(message.id)
        if job is None or job.state != "running" or job.attempt != attempt:
            return
        match message:
            case Said(event=event):
                job.last = replace(event, number=1 + (job.last.number if job.last else 0))
                job.events.append(job.last)
                self._journal.write(job.facts(), sync=False)
                self._tell(Said(job.id, job.last))
            case Outcome():
                job.result, job.failure = message.result, message.failure
                self._end(job, message.state)

    def _worker_returned(self, job: ServedJob, attempt: int, future: Future[None]) -> None:
        """The call is over. A good end says nothing: the outcome came as a message."""
        if job.state != "running" or job.attempt != attempt:
            return
        error = future.exception()
        if error is None:
            return
        died = isinstance(error, ProcessExpired | BrokenProcessPool | WorkerGone)
        if job.stopping:
            self._end(job, "cancelled")
        elif died and job.may_try_again:
            self._start(job)
        else:
            job.failure = _failure_of(job, error)
            self._end(job, "failed")

    def _stop(self, job: ServedJob, grace: float = 2.0) -> None:
        if job.state == "queued":
            self._end(job, "cancelled")
            return
        job.stopping = True
        self._workers.ask_to_stop(job.id)
        kill = threading.Timer(grace, self.inbox.put, [partial(self._kill, job)])
        kill.daemon = True
        kill.start()

    def _kill(self, job: ServedJob) -> None:
        if job.running is not None and job.state == "running":
            job.running.cancel()
            self._end(job, "cancelled")

    def _end(self, job: ServedJob, state: JobState) -> None:
        job.state = state
        job.finished = time.time()
        self._workers.forget(job.id)
        # A job that reported nothing found its result in the store: that is no duration.
        if state == "done" and job.attempt == 1 and job.events:
            self._durations.add(job.request.shape, time.monotonic() - job.began)
        self._changed(job)
        for old in outlived(self._jobs.values()):
            del self._jobs[old.id]
            self._journal.forget(old)
        self._fill_slots()

    def _recover(self) -> None:
        """Take over what an earlier engine process left, however it ended."""
        for facts in self._journal.read():
            job = self._jobs[facts.id] = ServedJob(**vars(facts))
            job.events = [job.last] if job.last else []
            job.watchers[job.request.visitor] = time.monotonic()
            job.expected = self._durations.expected(job.request.shape)
            if job.state == "running":
                if job.may_try_again:
                    job.state = "queued"
                else:
                    job.state, job.finished = "interrupted", time.time()
                    job.failure = _logged(job, Failure(INTERRUPTED, "interrupted"))
                self._journal.write(job.facts())

    def _tick(self) -> None:
        now = time.monotonic()
        for job in list(self._jobs.values()):
            last = max(job.watchers.values(), default=now)
            if job.active and not job.stopping and now - last > ORPHAN_SECONDS:
                print(f"Job {job.id}: {ORPHANED}", file=sys.stderr, flush=True)
                self._stop(job)
        busy = any(job.active for job in self._jobs.values())
        if not busy and not self._clients and now - self._alone_since > IDLE_SECONDS:
            self.stop()

    def _waiting(self) -> list[ServedJob]:
        return [job for job in self._jobs.values() if job.state == "queued"]

    def _running(self) -> list[tuple[ServedJob, float]]:
        """With the seconds that they have been running."""
        now = time.monotonic()
        return [(j, now - j.began) for j in self._jobs.values() if j.state == "running"]

    # ---- telling ----

    def _queue(self) -> Queue:
        waiting = in_order(self._waiting())
        starts = forecast(waiting, self._running(), self._limits)
        return Queue({job.id: (place, starts[job.number]) for place, job in enumerate(waiting, 1)})

    def _changed(self, job: ServedJob) -> None:
        self._journal.write(job.facts())
        self._tell_of(job)

    def _tell_of(self, job: ServedJob) -> None:
        self._tell(JobTold(job.facts(), len(job.watchers)))

    def _tell(self, message: Message) -> None:
        for client in self._clients:
            client.send(message)


def _failure_of(job: ServedJob, error: BaseException) -> Failure:
    """Why a job failed whose worker could not say it itself."""
    match error:
        case TimeoutError():
            limit = job.request.timeout
            sentence = f"The computation was stopped at its time limit of {limit:g} s."
        case ProcessExpired():
            sentence = f"The process of the computation died (exit code {error.exitcode})."
        case WorkerGone():
            sentence = str(error)
        case _:
            sentence = "The computation could not be given to a process of its own."
    return _logged(job, Failure(sentence, type(error).__name__), repr(error))


def _logged(job: ServedJob, failure: Failure, detail: str = "") -> Failure:
    """The failure; the log has the rest under its reference."""
    line = f"Job {job.id}, reference {failure.reference}: {failure.sentence} {detail}"
    print(line, file=sys.stderr, flush=True)
    return failure
