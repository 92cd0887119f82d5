"""Tasks for the tests, as a worker imports them."""

import os
import sys
import time
from pathlib import Path

from pru_demo.jobs.protocol import Cancelled, Context

NOT_CALLABLE = 3


def pid(context: Context) -> int:
    """The worker process that did it."""
    return os.getpid()


def count(context: Context, to: int) -> list[int]:
    """Report 1 … ``to``, and print between the reports as careless code does."""
    for step in range(1, to + 1):
        print("not a line of the protocol")
        os.write(1, b'{"id": "nor this"}\n')
        context.report(step=step)
    return list(range(to))


def wait(context: Context, started: str, release: str) -> int:
    """Show the worker's process id in ``started``, then wait until ``release`` exists."""
    publish(Path(started), str(os.getpid()))
    while not Path(release).exists():
        context.report(waiting=True)
        time.sleep(0.01)
    return os.getpid()


def deaf(context: Context, started: str) -> None:
    """Never look, after the first report, whether anybody wants this to end."""
    context.report(attempt=context.attempt)
    publish(Path(started), str(os.getpid()))
    while True:
        time.sleep(0.01)


def die_at_first(context: Context, dies: int) -> int:
    """Kill the own process in the first ``dies`` attempts; then return the attempt."""
    context.report(attempt=context.attempt)
    if context.attempt <= dies:
        # Reports are in the pipe by now; the server must cope with any order of reading them.
        os.kill(os.getpid(), 9)
    return context.attempt


def parent(context: Context) -> int:
    """The engine process whose worker did it."""
    return os.getppid()


class OutOfMemoryError(RuntimeError):
    """Named as torch's, which is known by its name so that the engine need not import torch."""


def exhaust(context: Context) -> None:
    """Need more than there is."""
    raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")


def fail(context: Context) -> None:
    """Fail as code with a bug does."""
    raise ValueError("class 12 does not exist\nand a second line")


def leave(context: Context) -> None:
    """Try to end the worker."""
    sys.exit("bye")


def not_json(context: Context) -> object:
    """Return what no JSON can hold."""
    return {1, 2}


def clean_up(context: Context, trace: str) -> None:
    """Wait for the cancellation, by asking instead of reporting, and leave in order."""
    publish(Path(trace).with_suffix(".started"), "")
    while not context.cancelled():
        time.sleep(0.01)
    publish(Path(trace), "in order")
    raise Cancelled


def log_run(context: Context, log: str, release: str) -> str:
    """Add a line to ``log`` for each execution."""
    with Path(log).open("a") as file:
        file.write("run\n")
    while not Path(release).exists():
        time.sleep(0.01)
    return "result"


def echo(context: Context, value: object) -> object:
    """Give the argument back."""
    return value


def publish(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text)
    temporary.replace(path)
