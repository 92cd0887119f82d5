"""An engine that computes nothing: tests say how far its jobs are."""

from collections.abc import Mapping
from typing import Any

from pru_demo.jobs.protocol import Event, Failure, Job, JobFacts, JobState, Refused, Request


class FakeJob(Job):
    """A job that waits in the queue until a test says otherwise."""

    def __init__(self, number: int, request: Request) -> None:
        super().__init__(JobFacts(f"job{number}", number, request), send=lambda _: None)
        self.task, self.arguments = request.task, request.arguments
        self.waiting = 1
        self.starts_in: float | None = None
        self.watched_by: set[str] = set()
        self.reported = self._events
        self.cancelled_with: list[float] = []

    @property
    def position(self) -> int:
        return self.waiting if self.state == "queued" else 0

    @property
    def wait(self) -> float | None:
        return self.starts_in

    def watch(self, visitor: str) -> None:
        self.watched_by.add(visitor)
        self.watchers = len(self.watched_by)

    def cancel(self, visitor: str = "", grace: float = 2.0) -> None:
        self.watched_by.discard(visitor)
        self.watchers = len(self.watched_by)
        self.cancelled_with.append(grace)

    # ---- what tests do to it ----

    def run(self, started: float) -> "FakeJob":
        self.state, self.started = "running", started
        return self

    def say(self, time: float, **data: Any) -> "FakeJob":
        self.hear(Event(len(self.reported) + 1, 1, time, data))
        return self

    def snapshot(
        self, time: float, done: int, a_f: float, a_r: float, label: str = "Unlearning, epoch 1"
    ) -> "FakeJob":
        """Report a step as ``pru_demo.experiment.run`` does."""
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

    def end(self, state: JobState, failure: Failure | None = None) -> None:
        self.state, self.finished, self.failure = state, 1.0, failure
        self.resolve()

    def fail(self, sentence: str, reference: str, kind: str = "") -> None:
        self.end("failed", Failure(sentence, kind, reference))

    def interrupt(self) -> None:
        """As when the engine was killed."""
        self.end("interrupted", Failure("The computation was interrupted.", "", "ab12cd34"))

    def stop(self) -> None:
        self.end("cancelled")


class FakeEngine:
    """Keeps what was submitted; stands in for ``client.Engine``."""

    def __init__(self) -> None:
        self.submitted: list[FakeJob] = []
        self.refuses = ""

    def submit(self, task: str, arguments: Mapping[str, object], *, key: str, **rest: Any) -> Job:
        if self.refuses:
            raise Refused(self.refuses)
        known = self.job(key)
        if known is not None and known.active:
            return known
        job = FakeJob(len(self.submitted) + 1, Request(task, arguments, key, **rest))
        self.submitted.append(job)
        return job

    def job(self, key: str) -> FakeJob | None:
        job = next((job for job in reversed(self.submitted) if job.key == key), None)
        if job is not None:
            job.watchers = len(job.watched_by)  # tests add to them
        return job

    def jobs(self) -> list[Job]:
        return list(self.submitted)

    def close(self) -> None:
        raise AssertionError("no page may leave the engine")
