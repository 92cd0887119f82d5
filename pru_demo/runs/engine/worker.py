"""What happens in a worker process: one task after the other, each in the same warm process.

Reports and the outcome go over one connection per worker. A queue shared by all workers would need
a lock, and a worker killed while it holds that lock would silence all the others.
"""

import ctypes
import importlib
import json
import os
import secrets
import signal
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Client, Connection
from pathlib import Path

from pru_demo.runs.canonical import JSON
from pru_demo.runs.engine.protocol import Cancelled, Context

_PR_SET_PDEATHSIG = 1
_channel: Connection


def initialize(address: str, server: int) -> None:
    """Tie this process to its server: end with it, and connect to ``address``.

    ``server`` is the process id of the server.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:  # it ended before the line above could take effect
        os._exit(1)
    global _channel
    _channel = Client(address)


def run(job_id: str, attempt: int, task: str, arguments: dict[str, JSON], flag: str) -> None:
    """Run a task and send its outcome to the server; ``flag`` is the file that asks to cancel."""
    context: Context = _WorkerContext(job_id, attempt, Path(flag))
    outcome: dict[str, JSON]
    try:
        if context.cancelled():
            raise Cancelled
        result = _resolve(task)(context, **arguments)
        outcome = {"state": "done", "result": result}
        json.dumps(outcome)
    except Cancelled:
        outcome = {"state": "cancelled"}
    except BaseException as error:  # also sys.exit() in a task must not end a warm worker
        outcome = {"state": "failed", "error": _describe(error, job_id, task)}
    _send(job_id, attempt, outcome)


class _WorkerContext:
    """Implements ``protocol.Context``."""

    def __init__(self, job_id: str, attempt: int, flag: Path) -> None:
        self.job_id = job_id
        self.attempt = attempt
        self._flag = flag

    def report(self, **event: JSON) -> None:
        _send(self.job_id, self.attempt, {"time": time.time(), "event": event})
        if self.cancelled():
            raise Cancelled

    def cancelled(self) -> bool:
        return self._flag.exists()


def _send(job_id: str, attempt: int, content: dict[str, JSON]) -> None:
    _channel.send_bytes(json.dumps({"id": job_id, "attempt": attempt, **content}).encode())


def _resolve(task: str) -> Callable[..., JSON]:
    module_name, _, function_name = task.partition(":")
    sentence = f"There is no task {task!r}; a task is named 'package.module:function'"
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise  # the module exists, but one that it needs does not
        raise LookupError(sentence) from error
    except (AttributeError, ValueError) as error:
        raise LookupError(sentence) from error
    if not callable(function):
        raise LookupError(sentence)
    return function  # type: ignore[no-any-return]


def _describe(error: BaseException, job_id: str, task: str) -> dict[str, str]:
    """The error as one sentence; all else goes to the log, where the reference finds it."""
    reference = secrets.token_hex(4)
    print(f"Job {job_id} ({task}) failed, reference {reference}:", file=sys.stderr)
    traceback.print_exception(error, file=sys.stderr)
    sys.stderr.flush()
    name = type(error).__name__
    cause = str(error).strip().partition("\n")[0].rstrip(".")
    sentence = f"The computation failed with {name}{': ' if cause else ''}{cause}."
    return {"type": name, "message": sentence, "reference": reference}
