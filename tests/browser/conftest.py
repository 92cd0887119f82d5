"""A real Chromium, and a Streamlit server for an app that a test writes."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
REPOSITORY = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium, driven by Playwright; skips where one of them is missing."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@contextlib.contextmanager
def streamlit_server(script: Path, log: Path, **environment: str) -> Iterator[str]:
    """Serve ``script`` on a free port until the block ends, with ``environment`` added to ours.

    Yields:
        The address of the running app.

    Raises:
        RuntimeError: the server does not answer in time; carries its output.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    command += [f"--{name}={value}" for name, value in options.items()]
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, server, log)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise


def _wait_until_healthy(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 90
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health"):
            return
        time.sleep(0.2)
    raise RuntimeError(f"The Streamlit server did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """A function that serves the source of an app for the rest of the module, by address."""
    with contextlib.ExitStack() as servers:

        def start(source: str) -> str:
            folder = tmp_path_factory.mktemp("app")
            script = folder / "app.py"
            script.write_text(source, "utf-8")
            return servers.enter_context(streamlit_server(script, folder / "server.log"))

        yield start


def processes_with(marker: str) -> list[int]:
    """Process ids of all that were started with ``marker`` in their environment (Linux)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if marker.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@contextlib.contextmanager
def real_app(folder: Path) -> Iterator[str]:
    """Serve the application itself with an empty store in ``folder``; nothing of it is left."""
    store = folder / "store"
    with streamlit_server(
        REPOSITORY / "app.py", folder / "server.log", PRU_STORE_DIR=str(store)
    ) as address:
        yield address
    assert processes_with(str(store)) == []


@pytest.fixture(scope="module")
def app_address(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application, shared by the tests of a module."""
    with real_app(tmp_path_factory.mktemp("app")) as address:
        yield address
