"""The engine process: ``python -m pru_demo.runs.engine.server --slots N --directory D``.

It reads requests as JSON lines from stdin, answers on stdout, and ends when stdin does:

    {"op": "submit", "id", "task", "arguments", "retries", "timeout"}
    {"op": "cancel", "id", "grace"}

    {"id", "state": "running", "attempt"}
    {"id", "attempt", "time", "event": {…}}
    {"id", "state": "done", "result"} | {"id", "state": "cancelled"}
    {"id", "state": "failed", "error": {"type", "message", "reference"}}

All decisions are made on the main thread, which takes one message after the other from an inbox;
the other threads only put messages there. Hence there are no locks.
"""

import argparse
import contextlib
import json
import os
import secrets
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TextIO

from pebble import ProcessExpired

from pru_demo.runs.canonical import JSON
from pru_demo.runs.engine.workers import Workers

Action = Callable[[], None]


@dataclass
class _Job:
    """A job from its request to its end."""

    id: str
    task: str
    arguments: dict[str, JSON]
    retries: int
    timeout: float | None
    attempt: int = 0
    running: Future[None] | None = None


class Server:
    """Schedules jobs on ``slots`` worker processes, first come first served."""

    def __init__(self, slots: int, directory: Path, output: TextIO) -> None:
        self.inbox: SimpleQueue[Action | None] = SimpleQueue()
        self._slots = slots
        self._directory = directory
        self._output = output
        self._jobs: dict[str, _Job] = {}  # queued and running
        self._queue: deque[_Job] = deque()
        self._busy = 0
        self._workers = Workers(slots, directory / "workers", self._from_worker)

    def run(self) -> None:
        """Handle messages until the inbox gives None, then end all workers."""
        try:
            while (action := self.inbox.get()) is not None:
                action()
        finally:
            self._workers.stop()

    def request(self, message: dict[str, JSON]) -> None:
        """Handle a line from stdin."""
        if message.pop("op") == "submit":
            job = _Job(**message)
            self._jobs[job.id] = job
            self._queue.append(job)
            self._fill_slots()
        elif message["id"] in self._jobs:
            self._cancel(self._jobs[message["id"]], message["grace"])

    def _cancel(self, job: _Job, grace: float) -> None:
        if job.running is None:
            self._queue.remove(job)
            self._end(job, {"state": "cancelled"})
            return
        self._flag(job).touch()
        kill = threading.Timer(grace, self.inbox.put, [partial(self._kill, job)])
        kill.daemon = True
        kill.start()

    def _kill(self, job: _Job) -> None:
        if job.running is not None and job.id in self._jobs:
            job.running.cancel()
            self._end(job, {"state": "cancelled"})

    def _fill_slots(self) -> None:
        while self._queue and self._busy < self._slots:
            self._busy += 1
            self._start(self._queue.popleft())

    def _start(self, job: _Job) -> None:
        job.attempt += 1
        arguments = (job.id, job.attempt, job.task, job.arguments, str(self._flag(job)))
        job.running = self._workers.schedule(arguments, job.timeout)
        self._emit({"id": job.id, "state": "running", "attempt": job.attempt})
        over = partial(self._worker_returned, job, job.attempt)
        job.running.add_done_callback(lambda future: self.inbox.put(partial(over, future)))

    def _from_worker(self, message: dict[str, JSON]) -> None:
        self.inbox.put(partial(self._worker_message, message))

    def _worker_message(self, message: dict[str, JSON]) -> None:
        """Handle a report or an outcome; those of an attempt that is over are dropped."""
        job = self._jobs.get(message["id"])
        if job is None or job.attempt != message["attempt"]:
            return
        if "event" in message:
            self._emit(message)
        else:
            self._end(job, message)

    def _worker_returned(self, job: _Job, attempt: int, future: Future[None]) -> None:
        """Handle the end of the call. A good end says nothing: the outcome came as a message."""
        if job.id not in self._jobs or job.attempt != attempt:
            return
        error = future.exception()
        if error is None:
            return
        died = isinstance(error, ProcessExpired | BrokenProcessPool)
        if self._flag(job).exists():
            self._end(job, {"state": "cancelled"})
        elif died and attempt <= job.retries:
            self._start(job)
        else:
            self._fail(job, error)

    def _fail(self, job: _Job, error: BaseException) -> None:
        if isinstance(error, TimeoutError):
            sentence = f"The computation was stopped at its time limit of {job.timeout:g} s."
        elif isinstance(error, ProcessExpired):
            sentence = f"The process of the computation died (exit code {error.exitcode})."
        else:
            sentence = "The computation could not be given to a process of its own."
        reference = secrets.token_hex(4)
        print(f"Job {job.id} failed, reference {reference}: {error!r}", file=sys.stderr, flush=True)
        description = {"type": type(error).__name__, "message": sentence, "reference": reference}
        self._end(job, {"state": "failed", "error": description})

    def _end(self, job: _Job, outcome: dict[str, JSON]) -> None:
        del self._jobs[job.id]
        self._flag(job).unlink(missing_ok=True)
        self._emit({"id": job.id, **outcome})
        if job.running is not None:
            self._busy -= 1
            self._fill_slots()

    def _emit(self, message: dict[str, JSON]) -> None:
        self._output.write(json.dumps(message) + "\n")
        self._output.flush()

    def _flag(self, job: _Job) -> Path:
        return self._directory / f"{job.id}.cancel"


def main() -> None:
    """Parse the command line and serve until stdin ends."""
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(description="Engine process; started by LocalEngine.")
    parser.add_argument("--slots", type=int, default=max(1, cores // 2), help="jobs at a time")
    parser.add_argument("--directory", type=Path, required=True, help="private, for its own files")
    options = parser.parse_args()

    # What tasks print, even from C code, must not get between the lines of the protocol.
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Workers share the cores instead of each starting a thread for every one of them.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // options.slots)))

    server = Server(options.slots, options.directory, output)

    def read_requests() -> None:
        for line in sys.stdin:
            server.inbox.put(partial(server.request, json.loads(line)))
        server.inbox.put(None)

    threading.Thread(target=read_requests, daemon=True).start()
    with contextlib.suppress(BrokenPipeError):  # nobody listens any more: end as if stdin had
        server.run()


if __name__ == "__main__":
    main()
