"""What is to be known of a job by those who ask for it, by its task, and by the processes between.

A task is a function that a worker can import, named ``"package.module:function"``. It is called as
``function(context, **arguments)`` and returns a JSON value. It sees of the engine only its
``Context``; whoever submitted it sees only the ``client.Job``.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

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

OUT_OF_MEMORY = ("OutOfMemoryError", "MemoryError")
"""Kinds of failure that smaller batches may cure; by name, as the first one is torch's."""


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


class Context(Protocol):
    """The engine as a task sees it; to be used from the thread that the task was called in."""

    @property
    def job_id(self) -> str: ...

    @property
    def attempt(self) -> int: ...

    def report(self, **event: object) -> None:
        """Publish an event, which is JSON. Raises Cancelled if cancellation was asked for."""

    def cancelled(self) -> bool:
        """Whether cancellation was asked for; the task then has its grace period to end."""


class Cancelled(Exception):
    """The job was cancelled. ``Context.report`` raises it in the task, ``Job.future`` outside."""


class JobFailed(Exception):
    """The job ended without a result; the attributes are those of ``Failure``."""

    def __init__(self, sentence: str, reference: str, kind: str = "") -> None:
        super().__init__(f"{sentence} Reference {reference}.")
        self.sentence = sentence
        self.reference = reference
        self.kind = kind


class Refused(Exception):
    """The engine does not take this job now; the message says why and when to try again."""


class EngineUnavailable(OSError):
    """There is no engine and none can be started; the message says what to do."""
