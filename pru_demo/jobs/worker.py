"""What happens in a worker process: one task after the other, each in the same warm process.

Reports and the outcome go over one connection per worker. A queue shared by all workers would need
a lock, and a worker killed while it holds that lock would silence all the others.
"""

import ctypes
import fcntl
import importlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Client, Connection
from pathlib import Path

from pru_demo.jobs.link import Outcome, Said, to_json
from pru_demo.jobs.protocol import OUT_OF_MEMORY, Cancelled, Context, Event, Failure, Request

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


def run(job_id: str, attempt: int, request: Request, flag: str) -> None:
    """Run a task and send its outcome to the engine; ``flag`` is the file that asks to cancel."""
    outcome = outcome_of(request, TaskContext(job_id, attempt, _send, Path(flag).exists))
    _send(outcome)
    if ran_out_of_memory(outcome):
        # What a device has left after this is anybody's guess: the next job gets a fresh process.
        os._exit(1)


def _send(message: Said | Outcome) -> None:
    _channel.send_bytes(to_json(message))


class TaskContext:
    """Implements ``protocol.Context`` for any kind of worker.

    ``say`` raises TypeError for what is not JSON: there the task can be blamed.
    """

    def __init__(
        self, job_id: str, attempt: int, say: Callable[[Said], None], cancelled: Callable[[], bool]
    ) -> None:
        self.job_id = job_id
        self.attempt = attempt
        self._say = say
        self.cancelled = cancelled

    def report(self, **event: object) -> None:
        self._say(Said(self.job_id, Event(0, self.attempt, time.time(), event)))
        if self.cancelled():
            raise Cancelled


def outcome_of(request: Request, context: Context) -> Outcome:
    """How the task of ``request`` ended; never raises."""
    id, attempt = context.job_id, context.attempt
    try:
        if context.cancelled():
            raise Cancelled
        outcome = Outcome(id, attempt, "done", _resolve(request.task)(context, **request.arguments))
        to_json(outcome)  # as in ``TaskContext``
    except Cancelled:
        return Outcome(id, attempt, "cancelled")
    except BaseException as error:  # also sys.exit() in a task must not end a warm worker
        return Outcome(id, attempt, "failed", failure=_failure(error, id, request.task))
    return outcome


def ran_out_of_memory(outcome: Outcome) -> bool:
    """Whether the worker must go, as its device is in an unknown state."""
    return outcome.failure is not None and outcome.failure.kind in OUT_OF_MEMORY


def _resolve(task: str) -> Callable[..., object]:
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


def _failure(error: BaseException, job_id: str, task: str) -> Failure:
    """The error as one sentence; all else goes to the log, where the reference finds it."""
    kind = type(error).__name__
    cause = str(error).strip().partition("\n")[0].rstrip(".")
    sentence = f"The computation failed with {kind}{': ' if cause else ''}{cause}."
    if kind in OUT_OF_MEMORY:
        sentence = "The device ran out of memory; run it with smaller batches."
    failure = Failure(sentence, kind)
    print(f"Job {job_id} ({task}) failed, reference {failure.reference}:", file=sys.stderr)
    traceback.print_exception(error, file=sys.stderr)
    sys.stderr.flush()
    return failure
