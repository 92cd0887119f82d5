"""The default engine: a process of its own on this machine, found or started when it is needed."""

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import asdict
from itertools import count
from pathlib import Path
from threading import Event as Signal
from threading import RLock

from pru_demo.jobs.job import Request
from pru_demo.jobs.launch import connect, engine_home, silence
from pru_demo.jobs.link import Link, Message
from pru_demo.jobs.local_job import LocalJob
from pru_demo.jobs.protocol import (
    ONE_CPU,
    RECENT_JOBS,
    Engine,
    EngineUnavailable,
    Job,
    Priority,
    Refused,
    Resources,
)
from pru_demo.store.entry import JSON

REPLY_SECONDS = 30.0
LEAVE_SECONDS = 10.0

LOST = "The engine process ended unexpectedly; start the computation again."
LEFT = "This program has left the engine that does the computation."


class LocalEngine(Engine):
    """Connects to the engine process of ``home``; starts it with ``options`` if there is none.

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
        self._jobs: dict[str, LocalJob] = {}  # by id, oldest first
        self._numbers = count(1)
        self._replies: dict[int, Future[Message]] = {}

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
        """As ``protocol.Engine.submit``. Raises RuntimeError after ``close``."""
        request = Request(
            task=task,
            arguments=dict(arguments),
            key=key,
            visitor=visitor,
            priority=priority,
            shape=shape,
            cpus=resources.cpus,
            gpus=resources.gpus,
            retries=retries,
            timeout=timeout,
        )
        for _ in range(2):  # the engine may end just now; the next one takes it
            reply = self._ask({"op": "submit", "request": asdict(request)})
            if "refused" in reply:
                raise Refused(reply["refused"])
            if "id" in reply:
                with self._lock:
                    return self._jobs[reply["id"]]
        raise EngineUnavailable(silence(self._home))

    def job(self, key: str) -> Job | None:
        """The job of ``key`` that is in flight or among the recently ended."""
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

    def send(self, message: Message) -> None:
        """Send to the engine process if there is one."""
        with self._lock:
            if self._link is not None:
                self._link.send(message)

    def close(self) -> None:
        """See ``protocol.Engine.close``; nothing happens the second time."""
        with self._lock:
            self._closed = True
            link = self._link
            if link is not None:
                # It hangs up when it has ended, or at once if others need it.
                link.send({"op": "leave"})
        if link is not None:
            self._left.wait(LEAVE_SECONDS)

    # ---- the connection ----

    def _ask(self, message: Message) -> Message:
        """Send a message and wait for the reply; {} if the engine ended instead."""
        reply: Future[Message] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("This engine was closed; create another one.")
            link, number = self._connected(), next(self._numbers)
            link.send({**message, "n": number})
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

    def _handle(self, link: Link, message: Message) -> None:
        resolutions: list[Callable[[], None]] = []
        with self._lock:
            match message:
                case {"hello": known}:
                    resolutions = self._take_over(known)
                    self._greeted.set()
                case {"reply": number}:
                    if reply := self._replies.pop(number, None):
                        reply.set_result(message)
                case {"job": view}:
                    resolutions = [self._describe(view)]
                case {"id": id, "event": event}:
                    self._jobs[id].hear(event)
                case {"queue": places}:
                    now = time.time()
                    for id, (position, wait) in places.items():
                        self._jobs[id].place = (position, None if wait is None else now + wait)
        # Outside of the lock: the callbacks of a future are somebody else's code.
        for resolve in resolutions:
            resolve()

    def _describe(self, view: dict[str, JSON]) -> Callable[[], None]:
        """Take over what the engine process says of a job; returns what then must be called."""
        job = self._jobs.get(view["id"])
        if job is None:
            job = self._jobs[view["id"]] = LocalJob(self.send, view)
            then = job.go_on if job.active else job.resolve
        else:
            then = job.become(view)
        ended = [each for each in self._jobs.values() if not each.active]
        for old in ended[: max(0, len(ended) - RECENT_JOBS)]:
            del self._jobs[old.id]
        return then

    def _take_over(self, known: list[JSON]) -> list[Callable[[], None]]:
        """What a newly reached engine process knows is all there is."""
        resolutions = [self._describe(view) for view, _ in known]
        for view, events in known:
            for event in events:
                self._jobs[view["id"]].hear(event)
        ids = {view["id"] for view, _ in known}
        lost = [job for job in self._jobs.values() if job.active and job.id not in ids]
        return resolutions + [job.become(job.lost(LOST)) for job in lost]

    def _hung_up(self, link: Link) -> None:
        with self._lock:
            self._link = None
            unanswered, self._replies = list(self._replies.values()), {}
            active = [job for job in self._jobs.values() if job.active]
            sentence = LEFT if self._closed else LOST
            if active and not self._closed:
                try:
                    self._connected()  # the journal still has them
                    active = []
                except EngineUnavailable as error:
                    sentence = str(error)
            resolutions = [job.become(job.lost(sentence)) for job in active]
        for resolve in resolutions:
            resolve()
        for reply in unanswered:
            reply.set_result({})
        self._left.set()


def engine_for(store_directory: Path, *, bundled: bool = True) -> Engine:
    """The engine whose results go to the store in ``store_directory``.

    Without ``bundled`` its tasks do not see the records that ship with the application.

    Raises ValueError with a sentence if ``PRU_ENGINE`` is none of the above.
    """
    chosen = os.environ.get("PRU_ENGINE") or "local"
    if chosen == "local":
        options: list[str] = []
    elif chosen == "ray":
        options = ["--cluster", "local"]
    elif chosen.startswith("ray://"):
        options = ["--cluster", chosen]
    else:
        raise ValueError(f"PRU_ENGINE is {chosen!r}; set it to local, ray or ray://HOST:PORT.")
    options += ["--store", str(store_directory)]
    if not bundled:
        options.append("--without-bundle")
    return LocalEngine(engine_home(store_directory), options)
