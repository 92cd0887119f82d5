"""What the processes say to each other, as JSON over local sockets.

A socket and not a table that all of them read: events are seen after 1-2 ms, nobody polls or locks,
and whoever is killed is known to be gone at once. A table could replace only the events; that
somebody watches, cancels, waits for a place or has died would still need the socket, or polling.
"""

import contextlib
import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any, Literal, TypeAlias, get_args

from pru_demo.jobs.protocol import Cancel, Event, Failure, JobFacts, Request, Watch

# ---- a client to the engine process (a Job adds Watch and Cancel) ----


@dataclass(frozen=True)
class Submit:
    """Take this job; the answer is a Reply of the same number."""

    number: int
    request: Request


@dataclass(frozen=True)
class Leave:
    """Hang up; at once if others need the engine, else when it has ended."""


# ---- the engine process to its clients ----


@dataclass(frozen=True)
class JobTold:
    """A job is new or has changed. ``events`` only if the client has not been told them."""

    facts: JobFacts
    watchers: int
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True)
class Hello:
    """Comes first: these are all the jobs there are."""

    jobs: list[JobTold]


@dataclass(frozen=True)
class Reply:
    """The id of the job that was submitted, or a sentence why it was not taken."""

    number: int
    id: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Said:
    """The task of a job has reported; workers send it, too, without the number."""

    id: str
    event: Event


@dataclass(frozen=True)
class Queue:
    """Place, and seconds until it starts if that is known, of all jobs that wait, by id."""

    places: dict[str, tuple[int, float | None]]


# ---- a worker to its engine process ----


@dataclass(frozen=True)
class Outcome:
    """A task is over."""

    id: str
    attempt: int
    state: Literal["done", "failed", "cancelled"]
    result: object = None
    failure: Failure | None = None


Message: TypeAlias = Submit | Watch | Cancel | Leave | Hello | Reply | JobTold | Said | Queue

_DATACLASSES = (*get_args(Message), Outcome, JobFacts, Request, Event, Failure)
_BY_NAME = {each.__name__: each for each in _DATACLASSES}
_NAME = "<dataclass>"  # beside the fields; no key of what tasks take, report and return


def to_json(value: object) -> bytes:
    """JSON in which the dataclasses above are objects; raises TypeError for what it cannot hold."""
    return json.dumps(value, default=_fields).encode()


def from_json(data: bytes) -> Any:
    """What ``to_json`` was given; raises TypeError for a dataclass that had other fields."""
    return json.loads(data, object_hook=_restored)


def _fields(value: object) -> dict[str, object]:
    if type(value) not in _DATACLASSES:
        raise TypeError(f"{value!r} is not JSON")
    return {_NAME: type(value).__name__, **vars(value)}


def _restored(content: dict[str, Any]) -> object:
    if (kind := _BY_NAME.get(content.get(_NAME, ""))) is None:
        return content
    del content[_NAME]
    return kind(**content)


class Link:
    """One end of a connection between a client and the engine process.

    ``on_message(link, message)`` and, when the other end has hung up, ``on_end(link)`` are called
    on the one thread that reads. Sending never waits: who does not read cannot hold up others.
    """

    def __init__(
        self,
        connection: Connection,
        on_message: Callable[["Link", Message], None],
        on_end: Callable[["Link"], None],
    ) -> None:
        self._connection = connection
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._on_message = on_message
        self._on_end = on_end

    def start(self) -> None:
        Thread(target=self._read, name="engine-reader", daemon=True).start()
        Thread(target=self._write, name="engine-writer", daemon=True).start()

    def send(self, message: Message) -> None:
        """Send ``message`` soon; if the other end is gone, ``on_end`` says so, not this.

        Raises TypeError if it is not JSON.
        """
        self._outbox.put(to_json(message))

    def hang_up(self) -> None:
        """Send nothing after what is waiting; the other end then hangs up, too."""
        self._outbox.put(None)

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._on_message(self, from_json(self._connection.recv_bytes()))
        self._outbox.put(None)
        self._on_end(self)

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            while (data := self._outbox.get()) is not None:
                self._connection.send_bytes(data)
            # Closing would not wake a thread that is reading; the end of the stream does.
            with socket.socket(fileno=os.dup(self._connection.fileno())) as stream:
                stream.shutdown(socket.SHUT_WR)
