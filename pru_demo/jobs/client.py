"""The engine as its users see it: a process of its own, found or started when it is needed."""

import os
from collections.abc import Mapping
from concurrent.futures import Future
from itertools import count
from pathlib import Path
from threading import Event as Signal
from threading import RLock

from pru_demo.jobs.launch import connect, engine_home, silence
from pru_demo.jobs.link import Hello, JobTold, Leave, Link, Message, Queue, Reply, Said, Submit
from pru_demo.jobs.protocol import (
    Cancel,
    EngineUnavailable,
    Job,
    Priority,
    Refused,
    Request,
    Watch,
    outlived,
)

REPLY_SECONDS = 30.0
LEAVE_SECONDS = 10.0

LOST = "The engine process ended unexpectedly; start the computation again."
LEFT = "This program has left the engine that does the computation."


def engine_for(store_directory: Path, *, bundled: bool = True) -> "Engine":
    """The engine whose results go to the store in ``store_directory``.

    ``PRU_ENGINE`` says whose workers it has: ``local`` (the default), those of this machine;
    ``ray``, those of a Ray cluster that it starts here; ``ray://HOST:PORT``, those of one that
    runs. Queue, limits and journal are always those of the engine process here. Without
    ``bundled`` its tasks do not see the records that ship with the application.

    Raises ValueError with a sentence if ``PRU_ENGINE`` is none of the above.
    """
    options = ["--store", str(store_directory)]
    chosen = os.environ.get("PRU_ENGINE") or "local"
    if chosen == "ray":
        options += ["--cluster", "local"]
    elif chosen.startswith("ray://"):
        options += ["--cluster", chosen]
    elif chosen != "local":
        raise ValueError(f"PRU_ENGINE is {chosen!r}; set it to local, ray or ray://HOST:PORT.")
    if not bundled:
        options.append("--without-bundle")
    return Engine(engine_home(store_directory, bundled=bundled), options)


class Engine:
    """Runs tasks: interactive ones before batch, within each first come first served.

    Connects to the engine process of ``home``; starts it with ``options`` if there is none.
    Several processes may use one engine. It outlives them if they are killed, and ends with the
    last one that closes it. If the engine itself is killed while jobs are in flight, another one
    is started at once, which goes on with them.
    """

    def __init__(self, home: Path, options: list[str] | None = None) -> None:
        self._home = home
        self._options = options or []
        self._lock = RLock()
        self._link: Link | None = None
        self._greeted = Signal()  # all that the engine process knows is known here
        self._left = Signal()
        self._closed = False
        self._jobs: dict[str, Job] = {}  # by id, oldest first
        self._numbers = count(1)
        self._replies: dict[int, Future[Reply | None]] = {}

    def submit(
        self,
        task: str,
        arguments: Mapping[str, object],
        *,
        key: str,
        visitor: str = "",
        priority: Priority = "interactive",
        shape: str = "",
        retries: int = 0,
        timeout: float | None = None,
    ) -> Job:
        """Run ``task``; while a job of this ``key`` is queued or running, return that one instead.

        The parameters are those of ``protocol.Request``. Raises TypeError if the arguments are not
        JSON, Refused with a sentence when the queue is full, EngineUnavailable, and RuntimeError
        after ``close``.
        """
        request = Request(task, dict(arguments), key, visitor, priority, shape, retries, timeout)
        for _ in range(2):  # the engine may end just now; the next one takes it
            if (reply := self._ask(request)) is None:
                continue
            if reply.refused:
                raise Refused(reply.refused)
            with self._lock:
                return self._jobs[reply.id]
        raise EngineUnavailable(silence(self._home))

    def job(self, key: str) -> Job | None:
        """The job of ``key`` that is in flight or ended recently, so that a page re-attaches."""
        return next((job for job in reversed(self.jobs()) if job.key == key), None)

    def jobs(self) -> list[Job]:
        """All jobs in flight and the recently ended ones, oldest first.

        Connects first if an earlier engine process has left jobs.
        """
        with self._lock:
            left = self._link is None and any((self._home / "jobs").glob("*.json"))
            if left and not self._closed:
                self._connected()
            greeted = self._greeted if self._link is not None else None
        if greeted is not None:
            greeted.wait(REPLY_SECONDS)
        with self._lock:
            return list(self._jobs.values())

    def close(self) -> None:
        """Leave the engine; nothing happens the second time.

        If nobody else uses it, it ends; what was in flight resumes later.
        """
        with self._lock:
            self._closed = True
            link = self._link
            if link is not None:
                # It hangs up when it has ended, or at once if others need it.
                link.send(Leave())
        if link is not None:
            self._left.wait(LEAVE_SECONDS)

    # ---- the connection ----

    def _ask(self, request: Request) -> Reply | None:
        """Submit and wait for the reply; None if the engine ended instead."""
        reply: Future[Reply | None] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("This engine was closed; create another one.")
            link, number = self._connected(), next(self._numbers)
            link.send(Submit(number, request))
            self._replies[number] = reply
        try:
            return reply.result(REPLY_SECONDS)
        except TimeoutError:
            raise EngineUnavailable(silence(self._home)) from None

    def _connected(self) -> Link:
        """The link to the engine process, which is started if need be; under the lock."""
        if self._link is None:
            connection = connect(self._home, self._options)
            self._greeted = Signal()
            self._link = Link(connection, self._handle, self._hung_up)
            self._link.start()
        return self._link

    def _send(self, message: Watch | Cancel) -> None:
        """For jobs: if there is no engine process, nobody needs to know."""
        with self._lock:
            if self._link is not None:
                self._link.send(message)

    def _handle(self, link: Link, message: Message) -> None:
        ended: list[Job] = []
        with self._lock:
            match message:
                case Hello(jobs):
                    ended = [job for told in jobs for job in self._update(told)]
                    ended += self._lose({told.facts.id for told in jobs}, LOST)
                    self._greeted.set()
                case Reply(number):
                    if reply := self._replies.pop(number, None):
                        reply.set_result(message)
                case JobTold():
                    ended = self._update(message)
                case Said(id, event):
                    self._jobs[id].hear(event)
                case Queue(places):
                    for id, (place, wait) in places.items():
                        self._jobs[id].move(place, wait)
        for job in ended:
            job.resolve()

    def _update(self, told: JobTold) -> list[Job]:
        """Take over what the engine process says of a job; returns it if this is its end."""
        id = told.facts.id
        known = self._jobs.get(id)
        job = self._jobs[id] = known or Job(told.facts, self._send)
        was_active = known is None or known.active
        for event in told.events:
            job.hear(event)
        job.become(told.facts, told.watchers)
        for old in outlived(self._jobs.values()):
            del self._jobs[old.id]
        return [job] if was_active and not job.active else []

    def _lose(self, known: set[str], sentence: str) -> list[Job]:
        """Fail all jobs in flight but the ``known`` ones; returns them."""
        lost = [job for job in self._jobs.values() if job.active and job.id not in known]
        for job in lost:
            job.lose(sentence)
        return lost

    def _hung_up(self, link: Link) -> None:
        with self._lock:
            self._link = None
            unanswered, self._replies = list(self._replies.values()), {}
            lost: list[Job] = []
            if self._closed:
                lost = self._lose(set(), LEFT)
            elif any(job.active for job in self._jobs.values()):
                try:
                    self._connected()  # the journal still has them
                except EngineUnavailable as error:
                    lost = self._lose(set(), str(error))
        for job in lost:
            job.resolve()
        for reply in unanswered:
            reply.set_result(None)
        self._left.set()
