"""What happens in a worker process: one task after the other, each in the same warm process.

Reports and the outcome go over one connection per worker. A queue shared by all workers would need
a lock, and a worker killed while it holds that lock would silence all the others.
"""

import ctypes
import fcntl
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

from pru_demo.jobs.protocol import OUT_OF_MEMORY, Cancelled, Context
from pru_demo.store.entry import JSON

_PR_SET_PDEATHSIG = 1
_channel: Connection


def initialize(address: str, server: int, gpus: list[str], directory: str) -> None:
    """Tie this process to its engine: end with it, and connect to ``address``.

    ``server`` is the process id of the engine. With ``gpus`` this worker takes the first one that
    no other worker holds, by a lock in ``directory``.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:  # it ended before the line above could take effect
        os._exit(1)
    if gpus:
        # Before torch is imported: it looks at the variable only once.
        os.environ["CUDA_VISIBLE_DEVICES"] = _free_gpu(gpus, Path(directory))
    global _channel
    _channel = Client(address)


def run(job_id: str, attempt: int, task: str, arguments: dict[str, JSON], flag: str) -> None:
    """Run a task and send its outcome to the engine; ``flag`` is the file that asks to cancel."""
    context = _WorkerContext(job_id, attempt, Path(flag))
    outcome = outcome_of(task, context, arguments)
    _send(job_id, attempt, outcome)
    if outcome.get("error", {}).get("type") in OUT_OF_MEMORY:
        # What a device has left after this is anybody's guess: the next job gets a fresh process.
        os._exit(1)


def outcome_of(task: str, context: Context, arguments: dict[str, JSON]) -> dict[str, JSON]:
    """Run a task; returns how it ended: its state, and the result or the error."""
    try:
        if context.cancelled():
            raise Cancelled
        outcome = {"state": "done", "result": _resolve(task)(context, **arguments)}
        json.dumps(outcome)
    except Cancelled:
        return {"state": "cancelled"}
    except BaseException as error:  # also sys.exit() in a task must not end a warm worker
        return {"state": "failed", "error": _describe(error, context.job_id, task)}
    return outcome


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


def _free_gpu(gpus: list[str], directory: Path) -> str:
    """The first of ``gpus`` that no other worker has; held until this process ends."""
    for gpu in gpus:
        lock = os.open(directory / f"gpu-{gpu.replace(os.sep, '-')}", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return gpu
    return gpus[0]  # there are more slots than GPUs, by the operator's choice


def _resolve(task: str) -> Callable[..., JSON]:
    """The function named ``"package.module:function"``. Raises LookupError with a sentence."""
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
    if name in OUT_OF_MEMORY:
        sentence = "The device ran out of memory; run it with smaller batches."
        return {"type": name, "message": sentence, "reference": reference}
    cause = str(error).strip().partition("\n")[0].rstrip(".")
    sentence = f"The computation failed with {name}{': ' if cause else ''}{cause}."
    return {"type": name, "message": sentence, "reference": reference}
