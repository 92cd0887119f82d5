"""What an engine promises, whatever runs behind it.

A task is a function that a worker can import, named ``"package.module:function"``. It is called as
``function(context, **arguments)`` and returns a JSON value. It sees of the engine only its
``Context``; whoever submitted it sees only the ``Job``.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pru_demo.store.entry import JSON

JobState = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
Priority = Literal["interactive", "batch"]

RECENT_JOBS = 64
"""How many ended jobs an engine remembers."""

IN_FLIGHT: tuple[JobState, ...] = ("queued", "running")

ORPHAN_SECONDS = 900.0
"""After so long without anybody who watches it a job is ended: enough to close the laptop, change
rooms and open it again."""

OUT_OF_MEMORY = ("OutOfMemoryError", "MemoryError")
"""Kinds of failure that smaller batches may cure; by name, as the first one is torch's."""


class Cancelled(Exception):
    """The job was cancelled. ``Context.report`` raises it in the task, ``Job.future`` outside."""


class JobFailed(Exception):
    """The job ended without a result.

    ``sentence`` is for the user; ``reference`` finds the traceback in the log of the engine;
    ``kind`` is the type of the error, "OutOfMemoryError" for instance.
    """

    def __init__(self, sentence: str, reference: str, kind: str = "") -> None:
        super().__init__(f"{sentence} Reference {reference}.")
        self.sentence = sentence
        self.reference = reference
        self.kind = kind


class Refused(Exception):
    """The engine does not take this job now; the message says why and when to try again."""


class EngineUnavailable(OSError):
    """There is no engine and none can be started; the message says what to do."""


@dataclass(frozen=True)
class Event:
    """One ``report`` of a task.

    ``number`` counts 1, 2, 3 … over the whole job. ``attempt`` is 1 until a worker dies and the
    job is tried again. ``time`` is in seconds since 1970, taken in the worker.
    """

    number: int
    attempt: int
    time: float
    data: dict[str, JSON]


@dataclass(frozen=True)
class Resources:
    """What a job needs of the machine it runs on. On this machine every job takes one slot."""

    cpus: float = 1
    gpus: float = 0


ONE_CPU = Resources()


class Context(Protocol):
    """The engine as a task sees it; to be used from the thread that the task was called in."""

    @property
    def job_id(self) -> str: ...

    @property
    def attempt(self) -> int: ...

    def report(self, **event: JSON) -> None:
        """Publish an event. Raises Cancelled if cancellation was asked for."""

    def cancelled(self) -> bool:
        """Whether cancellation was asked for; the task then has its grace period to end."""


class Job(Protocol):
    """A submitted task. All of it may be read from any thread at any time.

    ``future.result()`` gives what the task returned, or raises Cancelled or JobFailed. Cancel
    with ``cancel``: the future cannot be cancelled by itself.
    """

    @property
    def id(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def state(self) -> JobState:
        """ "interrupted": the engine ended while it ran; a task that keeps its progress resumes
        when it is submitted again."""

    @property
    def priority(self) -> Priority: ...

    @property
    def position(self) -> int:
        """0 = running or ended, 1 = next in the queue, 2 = the one after, …"""

    @property
    def wait(self) -> float | None:
        """Seconds until a waiting job starts, from measured runs; None: not known."""

    @property
    def expected(self) -> float | None:
        """Seconds that runs of this shape took here in the past, None before there are any."""

    @property
    def watchers(self) -> int:
        """How many visitors follow it."""

    @property
    def submitted(self) -> float:
        """Seconds since 1970, as for the next two, which are None until it happens."""

    @property
    def started(self) -> float | None: ...

    @property
    def finished(self) -> float | None: ...

    @property
    def future(self) -> Future[Any]: ...

    def events(self, after: int = 0) -> list[Event]:
        """All known events with a number above ``after``, in order."""

    def watch(self, visitor: str) -> None:
        """Say that ``visitor`` still follows it. A job that nobody follows is stopped in the end.

        Cheap: call it as often as the page is drawn.
        """

    def cancel(self, visitor: str = "", grace: float = 2.0) -> None:
        """``visitor`` wants it no longer; it goes on if others follow it.

        The task is asked to stop; if it runs on after ``grace`` seconds, its process is killed.
        """


class Engine(Protocol):
    """Runs tasks: interactive ones before batch, within each first come first served."""

    def submit(
        self,
        task: str,
        arguments: Mapping[str, JSON],
        *,
        key: str,
        visitor: str = "",
        priority: Priority = "interactive",
        shape: str = "",
        resources: Resources = ONE_CPU,
        retries: int = 0,
        timeout: float | None = None,
    ) -> Job:
        """Run ``task``; while a job of this ``key`` is queued or running, return that one instead.

        ``visitor``: who asks; limits hold for each. ``shape``: jobs of equal shape take about as
        long. ``retries``: how often a job starts again after its worker or the engine died (an
        exception in the task is not retried). ``timeout``: seconds of running after which the job
        fails.

        Raises TypeError if the arguments are not JSON, Refused with a sentence when the queue is
        full, and EngineUnavailable.
        """

    def job(self, key: str) -> Job | None:
        """The job of ``key`` that is in flight or ended recently, so that a page re-attaches."""

    def jobs(self) -> list[Job]:
        """All jobs in flight and the recently ended ones, oldest first."""

    def close(self) -> None:
        """Leave the engine. If nobody else uses it, it ends; what was in flight resumes later."""
