"""The worker processes of an engine: Pebble starts, kills and replaces them, we listen to them."""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from threading import Thread
from typing import Protocol

from pebble import ProcessPool

from pru_demo.jobs import worker
from pru_demo.jobs.link import Outcome, Said, from_json
from pru_demo.jobs.protocol import Request

OnMessage = Callable[[Said | Outcome], None]


class WorkerGone(Exception):
    """A worker that is not Pebble's died or cannot be had; the message is a sentence."""


class Workers(Protocol):
    """Where the jobs of an engine run, ``slots`` at a time.

    ``on_message`` gets what tasks report and return.
    """

    slots: int
    on_message: OnMessage

    def start(self, id: str, attempt: int, request: Request) -> Future[None]:
        """Run the task of ``request``.

        The future ends with None when the outcome was sent; with ProcessExpired, BrokenProcessPool
        or WorkerGone when the worker died; with TimeoutError at the time limit. Cancelling it
        kills the worker.
        """

    def ask_to_stop(self, id: str) -> None:
        """Let the task of job ``id`` see that it is cancelled."""

    def forget(self, id: str) -> None:
        """Job ``id`` has ended."""

    def stop(self) -> None:
        """Kill all workers, whatever they do."""


class LocalWorkers(Workers):
    """``slots`` warm processes on this machine, each with a GPU of its own if there are ``gpus``.

    ``directory`` is for sockets and flags; only this user can enter it. All methods must be called
    on one thread that lives as long as the workers shall: Linux kills a worker when the *thread*
    that started it ends.
    """

    def __init__(self, slots: int, gpus: list[str], directory: Path) -> None:
        self.slots = slots
        self._gpus = gpus
        self._directory = directory
        self.on_message: OnMessage = lambda _: None
        self._listener = Listener(str(directory / "workers"), backlog=slots + 1)
        self._pool = self._new_pool()
        Thread(target=self._accept, daemon=True).start()

    def start(self, id: str, attempt: int, request: Request) -> Future[None]:
        if not self._pool.active:  # Pebble gives up when a worker dies while no job is running
            self._stop_pool()
            self._pool = self._new_pool()
        future: Future[None] = self._pool.schedule(
            worker.run, args=(id, attempt, request, str(self._flag(id))), timeout=request.timeout
        )
        return future

    def ask_to_stop(self, id: str) -> None:
        self._flag(id).touch()  # the task looks for it

    def forget(self, id: str) -> None:
        self._flag(id).unlink(missing_ok=True)

    def stop(self) -> None:
        self._stop_pool()
        self._listener.close()

    def _flag(self, id: str) -> Path:
        return self._directory / f"{id}.cancel"

    def _stop_pool(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            self.slots,
            initializer=worker.initialize,
            initargs=(self._listener.address, os.getpid(), self._gpus, str(self._directory)),
            context=multiprocessing.get_context("spawn"),
        )

    def _accept(self) -> None:
        while True:
            connection = self._listener.accept()
            Thread(target=self._listen, args=[connection], daemon=True).start()

    def _listen(self, connection: Connection) -> None:
        with connection:
            try:
                while True:
                    self.on_message(from_json(connection.recv_bytes()))
            except (EOFError, OSError):
                return  # the worker ended; its future tells why
