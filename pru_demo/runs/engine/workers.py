"""The worker processes of a server: Pebble starts, kills and replaces them, we listen to them."""

import json
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from threading import Thread
from typing import Any

from pebble import ProcessPool

from pru_demo.runs.canonical import JSON
from pru_demo.runs.engine import worker


class Workers:
    """``slots`` warm processes; ``on_message`` gets what they say, on a thread per process.

    ``address`` is a path for a socket, in a folder that only this user can enter. All methods must
    be called on one thread that lives as long as the workers shall: Linux kills a worker when the
    *thread* that started it ends.
    """

    def __init__(
        self, slots: int, address: Path, on_message: Callable[[dict[str, JSON]], None]
    ) -> None:
        self._slots = slots
        self._listener = Listener(str(address))
        self._on_message = on_message
        self._pool = self._new_pool()
        Thread(target=self._accept, daemon=True).start()

    def schedule(self, arguments: tuple[Any, ...], timeout: float | None) -> Future[None]:
        """Call ``worker.run`` in a free worker, for at most ``timeout`` seconds.

        The future ends with None when the call returned; with ProcessExpired or BrokenProcessPool
        when the worker died; with TimeoutError at the time limit. Cancelling it kills the worker.
        """
        if not self._pool.active:  # Pebble gives up when a worker dies while no job is running
            self._stop_pool()
            self._pool = self._new_pool()
        future: Future[None] = self._pool.schedule(worker.run, args=arguments, timeout=timeout)
        return future

    def stop(self) -> None:
        """Kill all workers, whatever they do."""
        self._stop_pool()
        self._listener.close()

    def _stop_pool(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            self._slots,
            initializer=worker.initialize,
            initargs=(self._listener.address, os.getpid()),
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
                    self._on_message(json.loads(connection.recv_bytes()))
            except (EOFError, OSError):
                return  # the worker ended; its future tells why
