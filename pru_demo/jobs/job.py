"""A job as the engine process keeps it."""

from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from typing import Any

from pru_demo.jobs.protocol import IN_FLIGHT, JobState, Priority
from pru_demo.store.entry import JSON


@dataclass(frozen=True)
class Request:
    """What was asked for: see ``protocol.Engine.submit``."""

    task: str
    arguments: dict[str, JSON]
    key: str
    visitor: str
    priority: Priority
    shape: str
    cpus: float
    gpus: float
    retries: int
    timeout: float | None


@dataclass
class EngineJob:
    """A job from its request to its end; times in seconds since 1970.

    ``spared`` attempts ended because the engine was asked to end: they do not count as retries.
    ``last`` is the newest event: all that the journal keeps of them. ``watchers`` and ``began``
    are on the monotonic clock, which no one can set back.
    """

    id: str
    number: int
    request: Request
    submitted: float
    state: JobState = "queued"
    attempt: int = 0
    spared: int = 0
    started: float | None = None
    finished: float | None = None
    expected: float | None = None
    result: JSON = None
    error: dict[str, str] | None = None
    last: dict[str, JSON] | None = None
    events: list[dict[str, JSON]] = field(default_factory=list)
    watchers: dict[str, float] = field(default_factory=dict)
    stopping: bool = False
    running: Future[None] | None = None
    began: float = 0.0

    @property
    def key(self) -> str:
        return self.request.key

    @property
    def visitor(self) -> str:
        return self.request.visitor

    @property
    def priority(self) -> Priority:
        return self.request.priority

    @property
    def active(self) -> bool:
        """Whether it is queued or running."""
        return self.state in IN_FLIGHT

    @property
    def may_try_again(self) -> bool:
        """Whether it is started once more after its worker or the engine died."""
        return self.attempt - self.spared <= self.request.retries

    def view(self) -> dict[str, JSON]:
        """What clients are told of it whenever it changes."""
        return {
            "id": self.id,
            "number": self.number,
            "key": self.key,
            "priority": self.priority,
            "state": self.state,
            "attempt": self.attempt,
            "submitted": self.submitted,
            "started": self.started,
            "finished": self.finished,
            "expected": self.expected,
            "result": self.result,
            "error": self.error,
            "watchers": len(self.watchers),
        }

    def to_journal(self) -> dict[str, JSON]:
        """What must be known of it after the engine process has ended, however it ended."""
        return {
            "id": self.id,
            "number": self.number,
            "request": asdict(self.request),
            "submitted": self.submitted,
            "state": self.state,
            "attempt": self.attempt,
            "spared": self.spared,
            "started": self.started,
            "finished": self.finished,
            "result": self.result,
            "error": self.error,
            "last": self.last,
        }

    @classmethod
    def from_journal(cls, entry: dict[str, Any]) -> "EngineJob":
        """The inverse of :meth:`to_journal`. Raises TypeError or KeyError if it is none."""
        request = Request(**entry["request"])
        last = entry["last"]
        events = [last] if last else []
        return cls(**{**entry, "request": request}, events=events)
