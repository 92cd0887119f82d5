"""An engine that computes nothing: tests say how far its jobs are."""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from pru_demo.jobs.protocol import (
    ONE_CPU,
    Cancelled,
    Engine,
    Event,
    Job,
    JobFailed,
    JobState,
    Priority,
    Refused,
    Resources,
)
from pru_demo.store.entry import JSON


class FakeJob(Job):
    """A job that waits in the queue until a test says otherwise."""

    def __init__(self, task: str, arguments: Mapping[str, JSON], key: str) -> None:
        self.task, self.arguments = task, arguments
        self._id, self._key = f"job{abs(hash(key)) % 10**8}", key
        self._state: JobState = "queued"
        self._future: Future[Any] = Future()
        self.waiting = 1
        self.starts_in: float | None = None
        self.watched_by: set[str] = set()
        self.begun: float | None = None
        self.reported: list[Event] = []
        self.cancelled_with: list[float] = []

    @property
    def id(self) -> str:
        return self._id

    @property
    def key(self) -> str:
        return self._key

    @property
    def state(self) -> JobState:
        return self._state

    @property
    def position(self) -> int:
        return self.waiting if self._state == "queued" else 0

    @property
    def submitted(self) -> float:
        return 0.0

    @property
    def started(self) -> float | None:
        return self.begun

    @property
    def finished(self) -> float | None:
        return None if self._state in ("queued", "running") else 1.0

    @property
    def future(self) -> Future[Any]:
        return self._future

    @property
    def priority(self) -> Priority:
        return "interactive"

    @property
    def wait(self) -> float | None:
        return self.starts_in

    @property
    def expected(self) -> float | None:
        return None

    @property
    def watchers(self) -> int:
        return len(self.watched_by)

    def events(self, after: int = 0) -> list[Event]:
        return self.reported[after:]

    def watch(self, visitor: str) -> None:
        self.watched_by.add(visitor)

    def cancel(self, visitor: str = "", grace: float = 2.0) -> None:
        self.watched_by.discard(visitor)
        self.cancelled_with.append(grace)

    # ---- what tests do to it ----

    def run(self, started: float) -> "FakeJob":
        self._state, self.begun = "running", started
        return self

    def say(self, time: float, **data: JSON) -> "FakeJob":
        self.reported.append(Event(len(self.reported) + 1, 1, time, data))
        return self

    def snapshot(
        self, time: float, done: int, a_f: float, a_r: float, label: str = "Unlearning, epoch 1"
    ) -> "FakeJob":
        """Report a step as ``pru_demo.experiment.recorder`` does."""
        snapshot = {
            "stage": "unlearn",
            "epoch": done,
            "phase": "all",
            "A_f": a_f,
            "A_r": a_r,
            "losses": {},
            "label": label,
        }
        return self.say(time, snapshot=snapshot, done=done, of=10)

    def end(self, state: JobState, error: Exception | None = None) -> None:
        self._state = state
        if error is not None:
            self._future.set_exception(error)
        else:
            self._future.set_result(None)

    def fail(self, sentence: str, reference: str, kind: str = "") -> None:
        self.end("failed", JobFailed(sentence, reference, kind))

    def interrupt(self) -> None:
        """As when the engine was killed."""
        self.end("interrupted", JobFailed("The computation was interrupted.", "ab12cd34"))

    def stop(self) -> None:
        self.end("cancelled", Cancelled("The computation was cancelled."))


class FakeEngine(Engine):
    """Keeps what was submitted."""

    def __init__(self) -> None:
        self.submitted: list[FakeJob] = []
        self.refuses = ""

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
        if self.refuses:
            raise Refused(self.refuses)
        known = self.job(key)
        if known is not None and known.state in ("queued", "running"):
            return known
        job = FakeJob(task, arguments, key)
        self.submitted.append(job)
        return job

    def job(self, key: str) -> FakeJob | None:
        return next((job for job in reversed(self.submitted) if job.key == key), None)

    def jobs(self) -> list[Job]:
        return list(self.submitted)

    def close(self) -> None:
        raise AssertionError("no page may leave the engine")
