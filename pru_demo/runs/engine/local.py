"""The default engine: a process of its own on this machine, started at the first job."""

import logging
import secrets
import shutil
import tempfile
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any

from pru_demo.runs.canonical import JSON
from pru_demo.runs.engine.child import Child
from pru_demo.runs.engine.protocol import (
    ONE_CPU,
    Cancelled,
    Engine,
    Event,
    Job,
    JobFailed,
    JobState,
    Resources,
)

RECENT_JOBS = 64
SHUTDOWN_SECONDS = 10.0

_log = logging.getLogger(__name__)


class LocalJob:
    """Implements ``protocol.Job``. Only the engine changes it, under the engine's lock."""

    def __init__(self, engine: "LocalEngine", key: str) -> None:
        self._engine = engine
        self.id = uuid.uuid4().hex[:12]
        self.key = key
        self.state: JobState = "queued"
        self.submitted = time.time()
        self.started: float | None = None
        self.finished: float | None = None
        self.future: Future[Any] = Future()
        self.future.set_running_or_notify_cancel()  # so that nobody cancels it past the engine
        self.reported: list[Event] = []

    @property
    def active(self) -> bool:
        """Whether it is queued or running."""
        return self.finished is None

    @property
    def position(self) -> int:
        return self._engine.position(self)

    def events(self, after: int = 0) -> list[Event]:
        return self.reported[max(0, after) :]  # numbers are 1, 2, 3 …

    def cancel(self, grace: float = 2.0) -> None:
        self._engine.cancel(self, grace)


class LocalEngine(Engine):
    """Runs jobs in ``slots`` worker processes on this machine (default: half its cores).

    Every job takes one slot, whatever its ``resources``. If the engine process dies, the jobs in
    flight fail and the next submit starts another one.
    """

    def __init__(self, slots: int | None = None) -> None:
        self._options = [] if slots is None else ["--slots", str(slots)]
        self._lock = RLock()
        self._server: Child | None = None
        self._closed = False
        self._by_key: dict[str, LocalJob] = {}  # in flight and recently ended, oldest first
        self._active: dict[str, LocalJob] = {}  # by id, in the order of submission

    def submit(
        self,
        task: str,
        arguments: Mapping[str, JSON],
        *,
        key: str,
        resources: Resources = ONE_CPU,
        retries: int = 0,
        timeout: float | None = None,
    ) -> Job:
        """As ``protocol.Engine.submit``. Raises RuntimeError after ``shutdown``."""
        with self._lock:
            job = self._by_key.get(key)
            if job is not None and job.active:
                return job
            job = LocalJob(self, key)
            self._running_server().send(
                {
                    "op": "submit",
                    "id": job.id,
                    "task": task,
                    "arguments": dict(arguments),
                    "retries": retries,
                    "timeout": timeout,
                }
            )
            self._by_key.pop(key, None)  # so that it moves to the end
            self._by_key[key] = self._active[job.id] = job
            return job

    def job(self, key: str) -> Job | None:
        """The job of ``key`` that is in flight or among the recently ended."""
        with self._lock:
            return self._by_key.get(key)

    def jobs(self) -> list[Job]:
        """All jobs in flight and the recently ended ones, oldest first."""
        with self._lock:
            return list(self._by_key.values())

    def position(self, job: LocalJob) -> int:
        """See ``protocol.Job.position``."""
        with self._lock:
            waiting = [other for other in self._active.values() if other.state == "queued"]
            return waiting.index(job) + 1 if job in waiting else 0

    def cancel(self, job: LocalJob, grace: float) -> None:
        """See ``protocol.Job.cancel``; nothing happens to a job that has ended."""
        with self._lock:
            if job.active and self._server is not None:
                self._server.send({"op": "cancel", "id": job.id, "grace": grace})

    def shutdown(self) -> None:
        """End the engine process and its workers; jobs in flight fail."""
        with self._lock:
            self._closed = True
            server = self._server
        if server is not None:
            server.close(SHUTDOWN_SECONDS)

    def _running_server(self) -> Child:
        if self._closed:
            raise RuntimeError("This engine was shut down; create another one.")
        if self._server is None:
            # Made here and not by the server, so that it is removed even if the server is killed.
            directory = Path(tempfile.mkdtemp(prefix="pru-engine-"))
            self._server = Child(
                ["pru_demo.runs.engine.server", "--directory", str(directory), *self._options],
                on_message=self._handle,
                on_exit=partial(self._server_ended, directory),
            )
        return self._server

    def _handle(self, message: dict[str, JSON]) -> None:
        with self._lock:
            job = self._active[message["id"]]
            if "event" in message:
                number = len(job.reported) + 1
                job.reported.append(
                    Event(number, message["attempt"], message["time"], message["event"])
                )
                return
            if message["state"] == "running":
                job.state = "running"
                job.started = job.started or time.time()
                return
            self._end(job, message["state"])
        # Outside of the lock: the callbacks of a future are somebody else's code.
        if job.state == "done":
            job.future.set_result(message["result"])
        elif job.state == "cancelled":
            job.future.set_exception(Cancelled("The computation was cancelled."))
        else:
            error = message["error"]
            job.future.set_exception(JobFailed(error["message"], error["reference"]))

    def _server_ended(self, directory: Path, exit_code: int) -> None:
        shutil.rmtree(directory, ignore_errors=True)
        with self._lock:
            self._server = None
            lost = list(self._active.values())
            for job in lost:
                self._end(job, "failed")
        reference = secrets.token_hex(4)
        if self._closed:
            sentence = "The computation ended with the engine, which was shut down."
        else:
            sentence = "The engine process ended unexpectedly; start the computation again."
            _log.error("Engine process ended, exit code %d, reference %s", exit_code, reference)
        for job in lost:
            job.future.set_exception(JobFailed(sentence, reference))

    def _end(self, job: LocalJob, state: JobState) -> None:
        job.state = state
        job.finished = time.time()
        del self._active[job.id]
        ended = [key for key, other in self._by_key.items() if not other.active]
        for key in ended[: max(0, len(ended) - RECENT_JOBS)]:
            del self._by_key[key]
