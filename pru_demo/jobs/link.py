"""JSON messages both ways over a local socket: what engine process and clients speak with."""

import contextlib
import json
import os
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread

from pru_demo.store.entry import JSON

Message = dict[str, JSON]


class Link:
    """One end of a connection.

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
        """Begin to read and write."""
        Thread(target=self._read, name="engine-reader", daemon=True).start()
        Thread(target=self._write, name="engine-writer", daemon=True).start()

    def send(self, message: Message) -> None:
        """Send ``message`` soon; if the other end is gone, ``on_end`` says so, not this.

        Raises TypeError if it is not JSON.
        """
        self._outbox.put(json.dumps(message).encode())

    def hang_up(self) -> None:
        """Send nothing after what is waiting; the other end then hangs up, too."""
        self._outbox.put(None)

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._on_message(self, json.loads(self._connection.recv_bytes()))
        self._outbox.put(None)
        self._on_end(self)

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            while (data := self._outbox.get()) is not None:
                self._connection.send_bytes(data)
            # Closing would not wake a thread that is reading; the end of the stream does.
            with socket.socket(fileno=os.dup(self._connection.fileno())) as stream:
                stream.shutdown(socket.SHUT_WR)
