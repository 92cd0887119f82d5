"""Finding the engine process, or starting it."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from multiprocessing.connection import Client, Connection
from pathlib import Path

from pru_demo.runs.engine.home import LOCK, LOG, SOCKET, runtime_directory
from pru_demo.runs.engine.protocol import EngineUnavailable

START_SECONDS = 60.0
TRY_SECONDS = 0.02
# Started again this often, it cannot live here; its log says why.
STARTS = 3
LOG_BYTES = 5_000_000
OLD_SECONDS = 14 * 24 * 3600.0


def connect(home: Path, options: list[str]) -> Connection:
    """A connection to the engine process of ``home``, started with ``options`` if there is none.

    Raises EngineUnavailable with a sentence if there is none after a minute.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        address = str(runtime_directory(home) / SOCKET)
        process, starts = None, 0
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                return Client(address)
            except (FileNotFoundError, ConnectionRefusedError):
                pass
            # Two clients may start one each: the one that gets the lock serves both.
            ended = process is None or process.poll() is not None
            if ended and holder(home) is None:
                if starts == STARTS:
                    break
                process, starts = _start(home, options), starts + 1
            time.sleep(TRY_SECONDS)
    except OSError as error:
        raise EngineUnavailable(f"No engine can be started in {home}: {error}.") from error
    raise EngineUnavailable(silence(home))


def silence(home: Path) -> str:
    """A sentence for the operator whose engine process does not answer."""
    pid = holder(home)
    advice = f"end process {pid} and try again" if pid else "try again"
    return f"The engine does not answer; {advice}. Its log is {home / LOG}."


def holder(home: Path) -> int | None:
    """Process id of the engine process of ``home``, None if there is none."""
    lock = os.open(home / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        # Shared, so that two who ask do not see each other.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(lock, 20) or 0)
    finally:
        os.close(lock)
    return None


def remove_old(home: Path) -> None:
    """Remove what engines of earlier code or settings, long ended, have left beside ``home``."""
    for other in home.parent.iterdir():
        lock = other / LOCK
        if other == home or not lock.exists() or holder(other) is not None:
            continue
        if time.time() - lock.stat().st_mtime > OLD_SECONDS:
            shutil.rmtree(other, ignore_errors=True)


def _start(home: Path, options: list[str]) -> "subprocess.Popen[bytes]":
    log = home / LOG
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        # Never ``multiprocessing`` here: Streamlit replaces ``sys.modules["__main__"]``, so a
        # process spawned from the web process would execute the app once more.
        return subprocess.Popen(
            [sys.executable, "-m", "pru_demo.runs.engine.process", str(home), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # It can import all that this process can.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            # Ctrl-C in the terminal is for us, and the engine outlives us.
            start_new_session=True,
        )
