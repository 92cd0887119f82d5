"""Processes that write into a store until they are killed.

``python -m tests.store.writers FOLDER ROUNDS`` forks one writer per round and kills it at a random
moment. Standard output tells each write that ``put`` had confirmed: key and seed of its content.
"""

import os
import random
import signal
import sys
import time
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
    _main(Path(sys.argv[1]), int(sys.argv[2]))
