"""A job of the engine process, as a client sees it."""

import secrets
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from pru_demo.jobs.link import Message
from pru_demo.jobs.protocol import IN_FLIGHT, Cancelled, Event, Job, JobFailed, JobState, Priority

# A visitor counts as watching for four times as long: see ``server.WATCHING_SECONDS``.
WATCH_SECONDS = 5.0


class LocalJob(Job):
    """A job as the engine process last described it; changed under the engine's lock only."""

    def __init__(self, send: Callable[[Message], None], view: dict[str, Any]) -> None:
        self._send = send
        self._view = view
        self._watched: dict[str, float] = {}
        self._events: list[Event] = []
        self._future: Future[Any] = Future()
        self._future.set_running_or_notify_cancel()  # nobody cancels it past the engine
        self.place: tuple[int, float | None] = (0, None)  # position, start in seconds since 1970

    @property
    def id(self) -> str:
        return str(self._view["id"])

    @property
    def key(self) -> str:
        return str(self._view["key"])

    @property
    def state(self) -> JobState:
        return self._view["state"]  # type: ignore[no-any-return]

    @property
    def priority(self) -> Priority:
        return self._view["priority"]  # type: ignore[no-any-return]

    @property
    def active(self) -> bool:
        """Whether it is queued or running."""
        return self.state in IN_FLIGHT

    @property
    def position(self) -> int:
        return self.place[0] if self.state == "queued" else 0

    @property
    def wait(self) -> float | None:
        start = self.place[1]
        return None if self.state != "queued" or start is None else max(0.0, start - time.time())

    @property
    def expected(self) -> float | None:
        return self._view["expected"]  # type: ignore[no-any-return]

    @property
    def watchers(self) -> int:
        return int(self._view["watchers"])

    @property
    def submitted(self) -> float:
        return float(self._view["submitted"])

    @property
    def started(self) -> float | None:
        return self._view["started"]  # type: ignore[no-any-return]

    @property
    def finished(self) -> float | None:
        return self._view["finished"]  # type: ignore[no-any-return]

    @property
    def future(self) -> Future[Any]:
        return self._future

    def events(self, after: int = 0) -> list[Event]:
        return [event for event in self._events if event.number > after]

    def watch(self, visitor: str) -> None:
        now = time.monotonic()
        if self.active and now - self._watched.get(visitor, -WATCH_SECONDS) >= WATCH_SECONDS:
            self._watched[visitor] = now
            self._send({"op": "watch", "id": self.id, "visitor": visitor})

    def cancel(self, visitor: str = "", grace: float = 2.0) -> None:
        if self.active:
            message = {"op": "cancel", "id": self.id, "visitor": visitor, "grace": grace}
            self._send(message)

    def hear(self, event: dict[str, Any]) -> None:
        """Append an event unless it is known already."""
        if not self._events or event["number"] > self._events[-1].number:
            self._events.append(Event(**event))

    def become(self, view: dict[str, Any]) -> Callable[[], None]:
        """Take over a new description; returns what must be called once the lock is free."""
        ended = self.active and view["state"] not in IN_FLIGHT
        self._view = view
        return self.resolve if ended else self.go_on

    def go_on(self) -> None:
        """What a job that has not just ended must do."""

    def resolve(self) -> None:
        """End ``future`` as the job has ended."""
        error = self._view["error"] or {}
        if self.state == "done":
            self._future.set_result(self._view["result"])
        elif self.state == "cancelled":
            self._future.set_exception(Cancelled("The computation was cancelled."))
        else:
            failure = JobFailed(error["message"], error["reference"], error["type"])
            self._future.set_exception(failure)

    def lost(self, sentence: str) -> dict[str, Any]:
        """How a job is described of which nobody knows any more."""
        error = {"message": sentence, "reference": secrets.token_hex(4), "type": "lost"}
        return {**self._view, "state": "failed", "error": error, "finished": time.time()}
