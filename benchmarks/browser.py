"""The application, served with an empty store, and a Chromium to look at it with."""

import argparse
import contextlib
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-component-update"]
DESK = {"width": 1280, "height": 800}
PATIENCE = 120_000  # ms
CHART = ".js-plotly-plot .main-svg"
# What each page is called and shows when it is ready.
PAGES = {
    "start": ("Start", CHART),
    "forget": ("Forget", CHART),
    "perception": ("Perception", "canvas"),
    "redistribution": ("Redistribution", CHART),
    "relearning": ("Relearning", CHART),
    "inside": ("Inside", CHART),
    "try_it": ("Try it", "canvas"),
}
# Only then is a page drawn to its end.
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


def chosen_output(description: str | None, default: Path) -> Path:
    """Where the caller of a script wants its results: ``--output``, else ``default``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--output", type=Path, default=default)
    output: Path = parser.parse_args().output
    return output


@contextlib.contextmanager
def served(app: Path = ROOT / "app.py", **environment: str) -> Iterator[str]:
    """Start ``app`` on a free port, yield its address as soon as it answers, and stop it at the
    end; raises TimeoutError if it does not answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(app), *options],
            cwd=ROOT,
            env={**os.environ, "PRU_STORE_DIR": f"{directory}/store", **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_healthy(address)
            yield address
        finally:
            server.terminate()
            server.wait(60)


def _wait_until_healthy(address: str) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health"):
            return
        time.sleep(0.02)
    raise TimeoutError(f"{address} does not answer.")


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def new_page(browser: Any, **options: Any) -> Iterator[Any]:
    """A blank page with an empty cache; ``options`` are those of its context."""
    page = browser.new_context(**{"viewport": DESK, **options}).new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    page.context.close()


def visit(page: Any, address: str, name: str) -> None:
    """Load a page of :data:`PAGES` and wait until it is ready."""
    # Start lives at the bare address.
    page.goto(f"{address}/{'' if name == 'start' else name}")
    page.locator(PAGES[name][1]).first.wait_for()


# Once round, counter-clockwise from the right.
LOOP = [2 * math.pi * step / 16 for step in range(17)]


def draw_a_nine(page: Any) -> None:
    """A 9 in one stroke on the draw pad, up to and including the release of the button."""
    box = page.get_by_label("Draw a digit").bounding_box()
    loop = [(0.5 + 0.17 * math.cos(t), 0.33 - 0.17 * math.sin(t)) for t in LOOP]
    points = [
        (box["x"] + x * box["width"], box["y"] + y * box["height"])
        for x, y in [*loop, (0.66, 0.55), (0.62, 0.85)]
    ]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=3)
    page.mouse.up()
