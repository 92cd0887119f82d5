"""Where an engine process lives, whether one runs there, and how it is started.

Its home is a directory beside the store, named by what its tasks depend on: who uses the same
store, code and settings uses the same engine. There it holds a lock, so that there is one at most,
and has its journal and its log. Sockets lie elsewhere, as their paths must be short.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Client, Connection
from pathlib import Path

from pru_demo.jobs.protocol import EngineUnavailable
from pru_demo.paths import ROOT

LOCK = "lock"
SOCKET = "engine"
LOG = "engine.log"
LOG_BYTES = 5_000_000

# What tasks do depends on these, so an engine started with others is another engine.
SETTINGS = ("PRU_DATA_DIR", "PRU_DEVICE", "PRU_ENGINE", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")

START_SECONDS = 60.0
TRY_SECONDS = 0.02
# Started again this often, it cannot live here; its log says why.
STARTS = 3
OLD_SECONDS = 14 * 24 * 3600.0


def engine_home(store_directory: Path, *, bundled: bool = True) -> Path:
    """The directory of the engine that computes for the store, beside it.

    Its name depends on the store, on whether the ``bundled`` records are seen, and on code and
    settings: after an update, the old engine ends its jobs and goes.
    """
    files = sorted((ROOT / "pru_demo").rglob("*.py"))
    facts = [
        store_directory.name,
        f"{bundled=}",
        str(ROOT),
        sys.executable,
        *(f"{name}={os.environ.get(name)}" for name in SETTINGS),
        *(f"{file.relative_to(ROOT)} {file.stat().st_mtime_ns}" for file in files),
    ]
    return store_directory.parent / "engines" / _digest("\n".join(facts))


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


def _start(home: Path, options: list[str]) -> "subprocess.Popen[bytes]":
    log = home / LOG
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        # Never ``multiprocessing`` here: Streamlit replaces ``sys.modules["__main__"]``, so a
        # process spawned from the web process would execute the app once more.
        return subprocess.Popen(
            [sys.executable, "-m", "pru_demo.jobs.process", str(home), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # It can import all that this process can.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            # Ctrl-C in the terminal is for us, and the engine outlives us.
            start_new_session=True,
        )


def silence(home: Path) -> str:
    """A sentence for the operator whose engine process does not answer."""
    pid = holder(home)
    advice = f"end process {pid} and try again" if pid else "try again"
    return f"The engine does not answer; {advice}. Its log is {home / LOG}."


def runtime_directory(home: Path) -> Path:
    """A short path for sockets, whose names may have about 100 characters, for this user alone.

    Raises EngineUnavailable if somebody else holds the place.
    """
    path = Path(tempfile.gettempdir()) / f"pru-{os.getuid()}-{_digest(str(home.resolve()))}"
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise EngineUnavailable(
            f"{path} must be a folder that only this user can enter; remove it and try again."
        )
    return path


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


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


def hold(home: Path) -> bool:
    """Be the engine process of ``home`` until this process ends; False if another one is."""
    lock = os.open(home / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return True


def remove_old(home: Path) -> None:
    """Remove what engines of earlier code or settings, long ended, have left beside ``home``."""
    for other in home.parent.iterdir():
        lock = other / LOCK
        if other == home or not lock.exists() or holder(other) is not None:
            continue
        if time.time() - lock.stat().st_mtime > OLD_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
