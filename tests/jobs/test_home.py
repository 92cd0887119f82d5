"""Which engine is found, and what the machine offers it."""

import fcntl
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pru_demo.jobs import launch as module
from pru_demo.jobs.client import engine_for
from pru_demo.jobs.launch import LOCK, engine_home, remove_old, runtime_directory
from pru_demo.jobs.process import default_slots, gpus
from pru_demo.jobs.protocol import EngineUnavailable


def test_who_shares_store_code_and_settings_shares_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = engine_home(tmp_path / "store")
    assert engine_home(tmp_path / "store") == first
    assert engine_home(tmp_path / "other" / "store") != first
    # As the command that makes the bundled records anew asks for it, while an application runs.
    assert engine_home(tmp_path / "precompute") != first
    assert engine_home(tmp_path / "store", bundled=False) != first
    for name in ("PRU_DATA_DIR", "PRU_DEVICE"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "other")
            assert engine_home(tmp_path / "store") != first


def test_an_update_of_the_code_gets_another_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pru_demo").mkdir()
    (file := tmp_path / "pru_demo" / "code.py").touch()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    before = engine_home(tmp_path / "store")
    os.utime(file, (1, 1))
    assert engine_home(tmp_path / "store") != before


@pytest.fixture
def sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folder for sockets would be made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    path = runtime_directory(tmp_path / "home")
    path.rmdir()
    return path


def test_sockets_lie_in_a_folder_that_only_this_user_can_enter(
    sockets: Path, tmp_path: Path
) -> None:
    assert runtime_directory(tmp_path / "home") == sockets
    assert sockets.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("planted", ["link", "file", "open"])
def test_a_folder_for_sockets_that_somebody_else_prepared_is_refused(
    sockets: Path, tmp_path: Path, planted: str
) -> None:
    if planted == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        sockets.symlink_to(tmp_path / "elsewhere")
    elif planted == "file":
        sockets.touch(mode=0o600)
    else:
        sockets.mkdir()
        sockets.chmod(0o777)
    with pytest.raises(EngineUnavailable, match="only this user can enter; remove it"):
        runtime_directory(tmp_path / "home")


def test_what_engines_of_old_code_left_is_removed_unless_they_still_run(tmp_path: Path) -> None:
    home, recent, old, running = (tmp_path / name for name in ("home", "recent", "old", "running"))
    for path in (home, recent, old, running):
        path.mkdir()
        (path / LOCK).touch()
        if path != recent:
            os.utime(path / LOCK, (1, 1))
    with (running / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_old(home)
    assert sorted(tmp_path.iterdir()) == sorted([home, recent, running])


@pytest.mark.parametrize("engine", ["celery", "ray:", "http://ray"])
def test_an_engine_that_does_not_exist_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setenv("PRU_ENGINE", engine)
    with pytest.raises(ValueError, match="set it to local, ray or ray://HOST:PORT"):
        engine_for(tmp_path)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with four cores, and two GPUs as far as nvidia-smi tells."""
    for name in ("PRU_DEVICE", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    listed = "GPU 0: NVIDIA H200 (UUID: GPU-1)\nGPU 1: NVIDIA H200 (UUID: GPU-2)\n"
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, listed)
    )
    return monkeypatch


def test_each_gpu_is_a_slot(machine: pytest.MonkeyPatch) -> None:
    assert gpus() == ["0", "1"]
    assert default_slots() == 2


@pytest.mark.parametrize(
    ("visible", "expected"), [("1", ["1"]), ("GPU-2, 0", ["GPU-2", "0"]), ("", []), ("-1", [])]
)
def test_only_visible_gpus_count(
    machine: pytest.MonkeyPatch, visible: str, expected: list[str]
) -> None:
    machine.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpus() == expected


def test_on_the_processor_two_cores_are_a_slot(machine: pytest.MonkeyPatch) -> None:
    machine.setenv("PRU_DEVICE", "cpu")
    assert gpus() == []
    assert default_slots() == 2
    machine.setattr(os, "cpu_count", lambda: 1)
    assert default_slots() == 1


@pytest.mark.parametrize(
    "error", [FileNotFoundError(), subprocess.CalledProcessError(9, "nvidia-smi")]
)
def test_without_a_working_driver_there_are_no_gpus(
    machine: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    machine.setattr(subprocess, "run", fail)
    assert gpus() == []
