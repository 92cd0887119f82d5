"""A child process that is spoken to in JSON lines.

Never ``multiprocessing`` here: Streamlit replaces ``sys.modules["__main__"]``, so a process spawned
from the web process would execute the app once more.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from pru_demo.runs.canonical import JSON


class Child:
    """Runs ``python -m`` with ``arguments``; it can import all that this process can.

    ``on_message`` gets each line that it writes, ``on_exit`` its exit code, both called on the
    one thread that reads. Its stderr is ours.
    """

    def __init__(
        self,
        arguments: list[str],
        on_message: Callable[[dict[str, JSON]], None],
        on_exit: Callable[[int], None],
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            # Ctrl-C in the terminal is for us; the child ends when its stdin does.
            start_new_session=True,
        )
        self._outbox: SimpleQueue[str | None] = SimpleQueue()
        self._on_message = on_message
        self._on_exit = on_exit
        # The reader waits for nobody who could wait for the child: writing has its own thread.
        self._reader = Thread(target=self._read, name="engine-reader", daemon=True)
        self._reader.start()
        Thread(target=self._write, name="engine-writer", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id of the child."""
        return self._process.pid

    def send(self, message: dict[str, JSON]) -> None:
        """Send a message; never waits. Raises TypeError if it is not JSON.

        If the child is gone, ``on_exit`` says so, not this.
        """
        self._outbox.put(json.dumps(message) + "\n")

    def close(self, timeout: float) -> None:
        """End the child by closing its stdin; kill it after ``timeout`` seconds."""
        self._outbox.put(None)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._on_message(json.loads(line))
        self._outbox.put(None)
        self._on_exit(self._process.wait())

    def _write(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stream:
            while (line := self._outbox.get()) is not None:
                stream.write(line)
                stream.flush()
