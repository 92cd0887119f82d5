"""What is to be known of a job by those who ask for it, by its task, and by the processes between.

A task is a function that a worker can import, named ``"package.module:function"``. It is called as
``function(context, **arguments)`` and returns a JSON value. It sees of the engine only its
``Context``; whoever submitted it sees only the ``Job``.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

JobState = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
"""Interrupted: the engine ended while it ran; a task that keeps its progress resumes when it is
submitted again."""

Priority = Literal["interactive", "batch"]

RECENT_JOBS = 64
"""How many ended jobs an engine remembers."""

IN_FLIGHT: tuple[JobState, ...] = ("queued", "running")

ORPHAN_SECONDS = 900.0
"""After so long without anybody who watches it a job is ended: enough to close the laptop, change
rooms and open it again."""

WATCH_SECONDS = 5.0
"""A visitor is said to watch a job this often at most, and counts for four times as long: see
``server.WATCHING_SECONDS``."""

OUT_OF_MEMORY = ("OutOfMemoryError", "MemoryError")
"""Kinds of failure that smaller batches may cure; by name, as the first one is torch's."""


class Context(Protocol):
    """The engine as a task sees it; to be used from the thread that the task was called in."""

    job_id: str
    attempt: int

    def report(self, **event: object) -> None:
        """Publish an event, which is JSON. Raises Cancelled if cancellation was asked for."""

    def cancelled(self) -> bool:
        """Whether cancellation was asked for; the task then has its grace period to end."""


@dataclass(frozen=True)
class Request:
    """What was asked for: run ``task`` with ``arguments``, which are JSON.

    ``key``: what makes two requests one job. ``visitor``: who asks; limits hold for each.
    ``shape``: jobs of equal shape take about as long. ``retries``: how often the job starts again
    after its worker or the engine died (an exception in the task is not retried). ``timeout``:
    seconds of running after which it fails.
    """

    task: str
    arguments: Mapping[str, object]
    key: str
    visitor: str = ""
    priority: Priority = "interactive"
    shape: str = ""
    retries: int = 0
    timeout: float | None = None


@dataclass(frozen=True)
class Event:
    """One ``report`` of a task.

    ``number`` counts 1, 2, 3 … over the whole job; the engine process does that. ``attempt`` is 1
    until a worker dies and the job is tried again. ``time`` is in seconds since 1970, taken in the
    worker.
    """

    number: int
    attempt: int
    time: float
    data: dict[str, Any]  # JSON; its readers know what the task reports


@dataclass(frozen=True)
class Failure:
    """Why a job has no result: ``sentence`` is for the user.

    ``kind`` is the type of the error, "OutOfMemoryError" for instance; ``reference`` finds the rest
    in the log of the engine.
    """

    sentence: str
    kind: str
    reference: str = field(default_factory=lambda: secrets.token_hex(4))


@dataclass(eq=False)
class JobFacts:
    """A job from its request to its end: what is told to clients and written into the journal.

    ``number`` is its place among all jobs. ``attempt`` counts its starts; ``spared`` of them ended
    because the engine was asked to end, and do not count as retries. Times are in seconds since
    1970, None until it happens. ``last`` is the newest event.
    """

    id: str
    number: int
    request: Request
    state: JobState = "queued"
    attempt: int = 0
    spared: int = 0
    started: float | None = None
    finished: float | None = None
    result: Any = None  # JSON; who submits a task knows what it returns
    failure: Failure | None = None
    last: Event | None = None

    @property
    def key(self) -> str:
        return self.request.key

    @property
    def active(self) -> bool:
        """Whether it is queued or running."""
        return self.state in IN_FLIGHT


_J = TypeVar("_J", bound=JobFacts)


def outlived(jobs: Iterable[_J]) -> list[_J]:
    """Those of ``jobs``, oldest first, that have ended and need not be remembered any longer."""
    return [job for job in jobs if not job.active][:-RECENT_JOBS]


class Cancelled(Exception):
    """The job was cancelled. ``Context.report`` raises it in the task, ``Job.future`` outside."""


class JobFailed(Exception):
    """The job ended without a result; the attributes are those of ``Failure``."""

    def __init__(self, sentence: str, reference: str, kind: str) -> None:
        super().__init__(f"{sentence} Reference {reference}.")
        self.sentence, self.reference, self.kind = sentence, reference, kind


class Refused(Exception):
    """The engine does not take this job now; the message says why and when to try again."""


class EngineUnavailable(OSError):
    """There is no engine and none can be started; the message says what to do."""


@dataclass(frozen=True)
class Watch:
    """The visitor still follows the job."""

    id: str
    visitor: str


@dataclass(frozen=True)
class Cancel:
    """The visitor wants the job no longer; ``grace`` in seconds."""

    id: str
    visitor: str
    grace: float


class Job(JobFacts):
    """A submitted task: the facts as the engine process last told them, changed by ``Engine`` only.

    All of it may be read from any thread at any time. ``future.result()`` gives what the task
    returned, or raises Cancelled or JobFailed. Cancel with ``cancel``: the future cannot be
    cancelled by itself. ``watchers``: how many visitors follow it.
    """

    def __init__(self, facts: JobFacts, send: Callable[[Watch | Cancel], None]) -> None:
        super().__init__(**vars(facts))
        self.watchers = 0
        self.future: Future[Any] = Future()
        self.future.set_running_or_notify_cancel()  # nobody cancels it past the engine
        self._send = send
        self._events: list[Event] = []
        self._place = 0
        self._starts: float | None = None  # in seconds since 1970
        self._watched: dict[str, float] = {}

    @property
    def position(self) -> int:
        """0 = running or ended, 1 = next in the queue, 2 = the one after, …"""
        return self._place if self.state == "queued" else 0

    @property
    def wait(self) -> float | None:
        """Seconds until a waiting job starts, from measured runs; None: not known."""
        if self.state != "queued" or self._starts is None:
            return None
        return max(0.0, self._starts - time.time())

    def events(self, after: int = 0) -> list[Event]:
        """All known events with a number above ``after``, in order."""
        return [event for event in self._events if event.number > after]

    def watch(self, visitor: str) -> None:
        """Say that ``visitor`` still follows it. A job that nobody follows is stopped in the end.

        Cheap: call it as often as the page is drawn.
        """
        now = time.monotonic()
        if self.active and now - self._watched.get(visitor, -WATCH_SECONDS) >= WATCH_SECONDS:
            self._watched[visitor] = now
            self._send(Watch(self.id, visitor))

    def cancel(self, visitor: str = "", grace: float = 2.0) -> None:
        """``visitor`` wants it no longer; it goes on if others follow it.

        The task is asked to stop; if it runs on after ``grace`` seconds, its process is killed.
        """
        if self.active:
            self._send(Cancel(self.id, visitor, grace))

    # ---- what Engine does to it, under its lock but for the last ----

    def become(self, facts: JobFacts, watchers: int) -> None:
        """Be what the engine process says."""
        vars(self).update(vars(facts))  # at once: others read it meanwhile
        self.watchers = watchers

    def hear(self, event: Event) -> None:
        """Append an event unless it is known already."""
        if not self._events or event.number > self._events[-1].number:
            self._events.append(event)

    def move(self, place: int, wait: float | None) -> None:
        """Be at ``place`` in the queue, to start in ``wait`` seconds."""
        self._place, self._starts = place, None if wait is None else time.time() + wait

    def lose(self, sentence: str) -> None:
        """Be a job of which nobody knows any more."""
        self.failure, self.finished = Failure(sentence, "lost"), time.time()
        self.state = "failed"

    def resolve(self) -> None:
        """End ``future`` as the job has ended; what waits for it is somebody else's code."""
        if self.state == "done":
            self.future.set_result(self.result)
        elif self.state == "cancelled":
            self.future.set_exception(Cancelled("The computation was cancelled."))
        elif (why := self.failure) is not None:
            self.future.set_exception(JobFailed(why.sentence, why.reference, why.kind))
