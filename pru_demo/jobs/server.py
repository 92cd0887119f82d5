"""The decisions of an engine process: what is taken, started, stopped, and who is told.

Clients send, and are told:

    {"op": "submit", "n", "request": {…}}          {"reply": n, "id"} or {"reply": n, "refused"}
    {"op": "watch", "id", "visitor"}                {"job": {…}}: it is new, or has changed
    {"op": "cancel", "id", "visitor", "grace"}      {"id", "event": {…}}
    {"op": "leave"}                                 {"queue": {id: [position, seconds or null]}}

and first of all {"hello": [[job, events], …]}. Everything happens on one thread, which takes one
action after the other from an inbox; the other threads only put actions there. Hence no locks.
"""

import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from queue import Empty, SimpleQueue

from pebble import ProcessExpired

from pru_demo.jobs.job import EngineJob, Request
from pru_demo.jobs.journal import Durations, Journal
from pru_demo.jobs.link import Link, Message
from pru_demo.jobs.protocol import ORPHAN_SECONDS, RECENT_JOBS, JobState
from pru_demo.jobs.schedule import Limits, forecast, in_order, next_job, refusal
from pru_demo.jobs.workers import WorkerGone, Workers
from pru_demo.store.entry import JSON

Action = Callable[[], None]

TICK_SECONDS = 0.5
# A visitor who has not been heard of for this long does not count when another one cancels.
WATCHING_SECONDS = 20.0
# Long enough for a web server to restart, short enough not to stay behind.
IDLE_SECONDS = 20.0

INTERRUPTED = "The computation was interrupted when the engine ended."
ORPHANED = "Nobody followed the computation any more, so it was stopped."


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
        self._jobs: dict[str, EngineJob] = {}  # in flight and recently ended, by id, oldest first
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
            self._journal.write(job)
        self._workers.stop()

    def stop(self) -> None:
        """End after the current action. What runs is resumed by the next engine process."""
        self._serving = False

    # ---- clients ----

    def welcome(self, client: Link) -> None:
        """Tell a new client everything, and listen to it."""
        self._clients.append(client)
        known: list[JSON] = [[job.view(), job.events] for job in self._jobs.values()]
        client.send({"hello": known})
        client.send({"queue": self._queue()})
        client.start()

    def farewell(self, client: Link) -> None:
        """Forget a client that hung up."""
        client.hang_up()
        if client in self._clients:
            self._clients.remove(client)
        self._alone_since = time.monotonic()

    def handle(self, client: Link, message: Message) -> None:
        """Do what a client asks for."""
        match message["op"]:
            case "submit":
                client.send({"reply": message["n"], **self._submit(Request(**message["request"]))})
            case "leave":
                # The last one is not hung up on before all has ended: it waits for that.
                if self._clients == [client]:
                    self.stop()
                else:
                    self.farewell(client)
            case "watch" if job := self._active(message["id"]):
                self._watched(job, message["visitor"])
            case "cancel" if job := self._active(message["id"]):
                self._cancel(job, message["visitor"], message["grace"])

    def _active(self, id: str) -> EngineJob | None:
        job = self._jobs.get(id)
        return job if job is not None and job.active else None

    def _submit(self, request: Request) -> dict[str, str]:
        for job in self._jobs.values():
            if job.key == request.key and job.active and not job.stopping:
                self._watched(job, request.visitor)
                return {"id": job.id}
        waiting = self._waiting()
        ends = [s for s in forecast(waiting, self._running(), self._limits).values() if s]
        soonest = min(ends, default=None)
        if why := refusal(request.visitor, request.priority, waiting, self._limits, soonest):
            return {"refused": why}
        number = 1 + max((job.number for job in self._jobs.values()), default=0)
        job = EngineJob(uuid.uuid4().hex[:12], number, request, time.time())
        job.expected = self._durations.expected(request.shape)
        job.watchers[request.visitor] = time.monotonic()
        self._jobs[job.id] = job
        self._changed(job)
        self._fill_slots()
        return {"id": job.id}

    def _watched(self, job: EngineJob, visitor: str) -> None:
        new = visitor not in job.watchers
        job.watchers[visitor] = time.monotonic()
        if new:
            self._tell({"job": job.view()})

    def _cancel(self, job: EngineJob, visitor: str, grace: float) -> None:
        now = time.monotonic()
        job.watchers.pop(visitor, None)
        job.watchers = {v: s for v, s in job.watchers.items() if now - s < WATCHING_SECONDS}
        if job.watchers:
            self._tell({"job": job.view()})
        else:
            self._stop(job, grace)

    # ---- jobs ----

    def _stop(self, job: EngineJob, grace: float = 2.0) -> None:
        if job.state == "queued":
            self._end(job, "cancelled")
            return
        job.stopping = True
        self._workers.ask_to_stop(job.id)
        kill = threading.Timer(grace, self.inbox.put, [partial(self._kill, job)])
        kill.daemon = True
        kill.start()

    def _kill(self, job: EngineJob) -> None:
        if job.running is not None and job.state == "running":
            job.running.cancel()
            self._end(job, "cancelled")

    def _fill_slots(self) -> None:
        while job := next_job(self._waiting(), [j for j, _ in self._running()], self._limits):
            job.state = "running"
            job.started = job.started or time.time()
            self._start(job)
        self._tell({"queue": self._queue()})

    def _start(self, job: EngineJob) -> None:
        job.attempt += 1
        job.began = time.monotonic()
        job.running = self._workers.start(job.id, job.attempt, job.request)
        over = partial(self._worker_returned, job, job.attempt)
        job.running.add_done_callback(lambda future: self.inbox.put(partial(over, future)))
        self._changed(job)

    def _worker_says(self, message: Message) -> None:
        """A report or an outcome; those of an attempt that is over are dropped."""
        job = self._jobs.get(message["id"])
        if job is None or job.state != "running" or job.attempt != message["attempt"]:
            return
        if "event" in message:
            number = 1 + (job.last["number"] if job.last else 0)
            job.last = {
                "number": number,
                "attempt": job.attempt,
                "time": message["time"],
                "data": message["event"],
            }
            job.events.append(job.last)
            self._journal.write(job, sync=False)
            self._tell({"id": job.id, "event": job.last})
        else:
            job.result, job.error = message.get("result"), message.get("error")
            self._end(job, message["state"])

    def _worker_returned(self, job: EngineJob, attempt: int, future: Future[None]) -> None:
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
            self._fail(job, error)

    def _fail(self, job: EngineJob, error: BaseException) -> None:
        if isinstance(error, TimeoutError):
            sentence = (
                f"The computation was stopped at its time limit of {job.request.timeout:g} s."
            )
        elif isinstance(error, ProcessExpired):
            sentence = f"The process of the computation died (exit code {error.exitcode})."
        elif isinstance(error, WorkerGone):
            sentence = str(error)
        else:
            sentence = "The computation could not be given to a process of its own."
        job.error = _described(job, sentence, type(error).__name__, repr(error))
        self._end(job, "failed")

    def _end(self, job: EngineJob, state: JobState) -> None:
        job.state = state
        job.finished = time.time()
        self._workers.forget(job.id)
        # A job that reported nothing found its result in the store: that is no duration.
        if state == "done" and job.attempt == 1 and job.events:
            self._durations.add(job.request.shape, time.monotonic() - job.began)
        self._changed(job)
        ended = [other for other in self._jobs.values() if not other.active]
        for old in ended[: max(0, len(ended) - RECENT_JOBS)]:
            del self._jobs[old.id]
            self._journal.forget(old)
        self._fill_slots()

    def _recover(self) -> None:
        """Take over what an earlier engine process left, however it ended."""
        for job in self._journal.read():
            self._jobs[job.id] = job
            job.watchers[job.visitor] = time.monotonic()
            job.expected = self._durations.expected(job.request.shape)
            if job.state == "running":
                if job.may_try_again:
                    job.state = "queued"
                else:
                    job.state, job.finished = "interrupted", time.time()
                    job.error = _described(job, INTERRUPTED, "interrupted", "")
                self._journal.write(job)

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

    # ---- telling ----

    def _waiting(self) -> list[EngineJob]:
        return [job for job in self._jobs.values() if job.state == "queued"]

    def _running(self) -> list[tuple[EngineJob, float]]:
        now = time.monotonic()
        return [(j, now - j.began) for j in self._jobs.values() if j.state == "running"]

    def _queue(self) -> dict[str, JSON]:
        waiting = in_order(self._waiting())
        starts = forecast(waiting, self._running(), self._limits)
        return {job.id: [place, starts[job.number]] for place, job in enumerate(waiting, 1)}

    def _changed(self, job: EngineJob) -> None:
        self._journal.write(job)
        self._tell({"job": job.view()})

    def _tell(self, message: Message) -> None:
        for client in self._clients:
            client.send(message)


def _described(job: EngineJob, sentence: str, kind: str, detail: str) -> dict[str, str]:
    """An error for the user; the log has the rest under the same reference."""
    reference = secrets.token_hex(4)
    print(f"Job {job.id}, reference {reference}: {sentence} {detail}", file=sys.stderr, flush=True)
    return {"type": kind, "message": sentence, "reference": reference}
