"""What happens in a Ray actor: one task at a time, watched from the engine process.

The actor may be on any machine, so all goes through calls: the engine asks for what the task says
(:meth:`RayWorker.hear`), and answers what the task wants of the store, which only the engine has.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Condition, Lock
from typing import Any, cast

from numpy.typing import NDArray

from pru_demo.jobs.protocol import Cancelled
from pru_demo.jobs.worker import outcome_of
from pru_demo.store import Entry, Store, decode, default_store_directory, encode
from pru_demo.store.entry import JSON

# How long a question waits for something to be said, so that few are needed.
HEAR_SECONDS = 2.0


class RayWorker:
    """The actor. While ``run`` blocks, the other methods are called on threads of their own."""

    def __init__(self) -> None:
        self._one_at_a_time = Lock()
        self._said = Condition()
        self._messages: list[dict[str, Any]] = []
        self._answers: dict[int, bytes | None] = {}
        self._stopping = False
        self._call: tuple[str, int] | None = None

    def run(self, id: str, attempt: int, task: str, arguments: dict[str, JSON]) -> None:
        """Run a task. What it says is to be heard with :meth:`hear`, its outcome last."""
        from pru_demo.jobs import worker_store

        with self._one_at_a_time:
            with self._said:
                self._call, self._messages, self._answers = (id, attempt), [], {}
                self._stopping = False
            self.say({"began": attempt})
            worker_store.relay = cast(Store, RelayedStore(self))
            outcome = outcome_of(task, _RayContext(self, id, attempt), arguments)
            self.say({"id": id, "attempt": attempt, **outcome})

    def hear(self, id: str, attempt: int, after: int) -> list[dict[str, Any]]:
        """What a call of :meth:`run` has said but for the first ``after`` messages.

        May be asked before that call begins, as Ray promises no order; waits for news a while.
        """
        call = (id, attempt)
        with self._said:
            self._said.wait_for(
                lambda: self._call == call and len(self._messages) > after, HEAR_SECONDS
            )
            return self._messages[after:] if self._call == call else []

    def answer(self, number: int, value: bytes | None) -> None:
        """The store's answer to message ``number``."""
        with self._said:
            self._answers[number] = value
            self._said.notify_all()

    def ask_to_stop(self) -> None:
        """Let the task see that it is cancelled."""
        self._stopping = True

    @property
    def stopping(self) -> bool:
        """Whether cancellation was asked for."""
        return self._stopping

    def say(self, message: dict[str, Any]) -> int:
        """Add a message to what will be heard; returns its number."""
        with self._said:
            self._messages.append(message)
            self._said.notify_all()
            return len(self._messages) - 1

    def ask(self, message: dict[str, Any]) -> bytes | None:
        """Say a message of the store's and wait for its answer."""
        number = self.say(message)
        with self._said:
            self._said.wait_for(lambda: number in self._answers)
            return self._answers.pop(number)


class _RayContext:
    """Implements ``protocol.Context``."""

    def __init__(self, worker: RayWorker, id: str, attempt: int) -> None:
        self._worker = worker
        self.job_id = id
        self.attempt = attempt

    def report(self, **event: JSON) -> None:
        json.dumps(event)  # here, where the task can be blamed
        message = {"id": self.job_id, "attempt": self.attempt, "time": time.time(), "event": event}
        self._worker.say(message)
        if self.cancelled():
            raise Cancelled

    def cancelled(self) -> bool:
        return self._worker.stopping


class RelayedStore:
    """The part of ``store.Store`` that tasks use, on the disk of the engine process."""

    def __init__(self, worker: RayWorker) -> None:
        self._worker = worker
        # What tasks keep beside the store, trained originals, stays on the machine they run on.
        self.directory: Path = default_store_directory()

    def get(self, key: str) -> Entry | None:
        """As ``Store.get``."""
        data = self._worker.ask({"store": "get", "key": key})
        return None if data is None else decode(data)

    def meta(self, key: str) -> dict[str, JSON] | None:
        """As ``Store.meta``."""
        entry = self.get(key)
        return None if entry is None else entry.meta

    def put(self, key: str, meta: Mapping[str, JSON], arrays: Mapping[str, NDArray[Any]]) -> None:
        """As ``Store.put``; returns when it is on the engine's disk."""
        data = encode(meta, arrays)
        self._worker.ask({"store": "put", "key": key, "data": data})

    def delete(self, key: str) -> None:
        """As ``Store.delete``."""
        self._worker.ask({"store": "delete", "key": key})

    def withdraw(self, key: str) -> None:
        """As ``Store.withdraw``."""
        self._worker.ask({"store": "withdraw", "key": key})
