"""Where an engine process lives: found by those who use the same store, code and settings."""

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

from pru_demo.paths import ROOT
from pru_demo.runs.engine.protocol import EngineUnavailable

LOCK = "lock"
SOCKET = "engine"
LOG = "engine.log"

# What tasks do depends on these, so an engine started with others is another engine.
SETTINGS = ("PRU_DATA_DIR", "PRU_DEVICE", "PRU_ENGINE", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")


def engine_home(store_directory: Path) -> Path:
    """The directory of the engine that computes for the store, beside it.

    Its name depends on code and settings: after an update, the old engine ends its jobs and goes.
    """
    files = sorted((ROOT / "pru_demo").rglob("*.py"))
    facts = [
        str(ROOT),
        sys.executable,
        *(f"{name}={os.environ.get(name)}" for name in SETTINGS),
        *(f"{file.relative_to(ROOT)} {file.stat().st_mtime_ns}" for file in files),
    ]
    name = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
    return store_directory.parent / "engines" / name


def runtime_directory(home: Path) -> Path:
    """A short path for sockets, whose names may have about 100 characters, for this user alone.

    Raises EngineUnavailable if somebody else holds the place.
    """
    name = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"pru-{os.getuid()}-{name}"
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise EngineUnavailable(
            f"{path} must be a folder that only this user can enter; remove it and try again."
        )
    return path
