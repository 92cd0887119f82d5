"""Processes that write into a store until they are killed.

``python -m tests.store.writers FOLDER ROUNDS`` forks one writer per round and kills it at a random
moment. Standard output tells each write that ``put`` had confirmed: key and seed of its content.
With ``"at each step"`` for ROUNDS, one writer is killed right before and one right after each step.
"""

import functools
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pru_demo.store import Store

KEYS = [f"v1:run:{number}" for number in range(12)]


def content(seed: int) -> dict[str, NDArray[Any]]:
    """The same for the same seed; from 40 bytes to 2 MB."""
    size = (10, 2_000, 60_000, 500_000)[seed % 4]
    return {"a": np.random.default_rng(seed).integers(0, 2**31, size, dtype=np.int32)}


def write(store: Store, seed: int) -> str:
    """Put the content of ``seed``; returns its key."""
    key = KEYS[seed % len(KEYS)]
    store.put(key, {"seed": seed}, content(seed))
    return key


def _write_until_killed(folder: Path, round_: int) -> None:
    store, seed = Store(folder), round_ * 10_000
    while True:
        seed += 1
        os.write(1, f"{write(store, seed)} {seed}\n".encode())


STEPS = ("fsync", "replace", "COMMIT", "unlink")
"""What a write that replaces an entry does, one after the other."""


def die_at(folder: Path, step: str, after: bool) -> None:
    """Replace an entry in a process that is killed right before or right after ``step``."""
    Store(folder).put("k", {"made": "before"}, content(0))
    if os.fork() != 0:
        os.wait()
        return
    store, commit = Store(folder), step == "COMMIT"

    def dying(act: Callable[..., Any], *arguments: Any) -> Any:
        done = act(*arguments) if after else None
        os.kill(os.getpid(), signal.SIGKILL)
        return done

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            if commit and sql == "COMMIT":
                dying(super().execute, sql, *rest)
            return super().execute(sql, *rest)

    if commit:
        connect = sqlite3.connect
        sqlite3.connect = lambda *a, **k: connect(*a, **k, factory=Connection)
        store.close()
    else:
        setattr(os, step, functools.partial(dying, getattr(os, step)))
    store.put("k", {"made": "after"}, content(1))
    os._exit(0)


def _main(folder: Path, rounds: int) -> None:
    moments = random.Random(0)
    for round_ in range(1, rounds + 1):
        writer = os.fork()
        if writer == 0:
            _write_until_killed(folder, round_)
        time.sleep(moments.uniform(0.005, 0.15))
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)


if __name__ == "__main__":
    if sys.argv[2] == "at each step":
        for step in STEPS:
            for after in (False, True):
                die_at(Path(sys.argv[1]) / f"{step} {after}", step, after)
    else:
        _main(Path(sys.argv[1]), int(sys.argv[2]))
