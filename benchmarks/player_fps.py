"""How smoothly a film of moving samples plays in a browser without a graphics card.

    python benchmarks/player_fps.py [--output FILE]

Compares the canvas player, the player with tails and the exported Plotly film, two panels each.
The paths and probabilities are made up, in the size of the bundled runs; what real runs take was
not measured. Needs Chromium and playwright. Writes ``benchmarks/results/player-fps.json``.
"""

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from browser import ROOT, chromium, wait_until_healthy
from machine import describe_machine

from pru_demo.figures.film import FRAME_MS, film_figure
from pru_demo.figures.film_parts import Frame, Panel
from pru_demo.ui.components.map_player.movie import Movie
from pru_demo.ui.components.map_player.payload import encode_movie

RESULT = Path(__file__).parent / "results" / "player-fps.json"
SAMPLES, CLASSES, UNLEARNED, FRAMES = 1500, 10, 20, 31
# Around the end of unlearning samples are farthest from home.
LONGEST_TAILS = 13
SECONDS = 6
ROUNDS = 3
VIEWPORT = {"width": 1280, "height": 800}
NAMES = [str(c) for c in range(CLASSES)]

# What the measured apps show.
PLAYER = """
from player_fps import made_up_movie
from pru_demo.ui.components.map_player import map_player
parts = dict(vars(made_up_movie()))
map_player(parts.pop("panels"), parts.pop("frames"), **parts, key="film")
"""
PLOTLY = """
from player_fps import plotly_film
import streamlit as st
st.plotly_chart(plotly_film(), key="film")
"""

# Time between two frames of the browser, in ms, for a number of seconds.
GAPS = """seconds => new Promise((done) => {
  const gaps = [], start = performance.now();
  let before = start;
  const tick = (now) => {
    gaps.push(now - before);
    before = now;
    if (now - start < seconds * 1000) requestAnimationFrame(tick); else done(gaps.slice(1));
  };
  requestAnimationFrame(tick);
})"""


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=RESULT)
    output = parser.parse_args().output
    facts = describe_machine().facts
    with chromium() as browser:
        with served(PLAYER) as address:
            plain = measure(browser, address, play_canvas)
            tails = measure(browser, address, play_with_tails)
        with served(PLOTLY) as address:
            plotly = measure(browser, address, play_plotly)
        version = browser.version
    payload = len(json.dumps(encode_movie(made_up_movie())))
    result = {
        "what": f"{SAMPLES} made-up samples x {FRAMES} frames x 2 panels, playing for {SECONDS} s; "
        f"the median of {ROUNDS} rounds. Frames are the browser's; the canvas has a new picture in "
        f"each, Plotly one in {FRAME_MS} ms",
        "machine": facts,
        "chromium": f"{version}, headless, software rendering, {VIEWPORT}",
        "canvas_player": plain | {"payload_bytes": payload},
        "canvas_player_with_tails": tails | {"payload_bytes": payload},
        "plotly_film": plotly | {"payload_bytes": len(plotly_film().to_json())},
    }
    output.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def measure(browser: Any, address: str, play: Any) -> dict[str, float]:
    """Frames per second and the 95th percentile of the gaps between them, while ``play`` plays."""
    rounds = []
    for _ in range(ROUNDS):
        page = browser.new_context(viewport=VIEWPORT).new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        page.wait_for_timeout(3000)
        moves = play(page)
        gaps = page.evaluate(GAPS, SECONDS)
        if not moves():
            raise RuntimeError("Nothing moved: there was nothing to measure.")
        page.context.close()
        rounds.append((1000 / float(np.mean(gaps)), float(np.quantile(gaps, 0.95))))
    fps, gap = np.median(rounds, axis=0)
    return {"fps": round(fps, 1), "gap_p95_ms": round(gap, 1)}


def play_canvas(page: Any) -> Any:
    """Start the player where tails grow long; gives what tells whether the film went on."""
    slider = page.get_by_label("Moment")
    slider.fill(str(LONGEST_TAILS))
    page.get_by_role("button", name="Play").click()
    return lambda: int(slider.input_value()) > LONGEST_TAILS


def play_with_tails(page: Any) -> Any:
    """The same, every dot with its tail."""
    page.get_by_label("Tails").check()
    return play_canvas(page)


def play_plotly(page: Any) -> Any:
    """Start the exported figure; gives what tells whether the film went on."""
    page.locator(".updatemenu-button").get_by_text("Play", exact=True).click()
    label = page.locator(".slider-label").first  # of the moment that is shown
    return lambda: label.text_content() != "Original"


@contextlib.contextmanager
def served(app: str) -> Iterator[str]:
    """Serve an app that can import this file, until the block ends; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "app.py"
        script.write_text(app)
        paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
        options = ["--server.port", str(port), "--server.address", "127.0.0.1"]
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script), *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": paths},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_healthy(address)
            yield address
        finally:
            server.terminate()
            server.wait(60)


def plotly_film() -> Any:
    """The exported figure of the same film."""
    movie = made_up_movie()
    return film_figure(movie.panels, movie.frames, movie.true, NAMES, movie.forgotten)


def made_up_movie() -> Movie:
    """Ten classes, of which the last is scattered among the others and comes half-way back."""
    random = np.random.default_rng(0)
    true = np.arange(SAMPLES) % CLASSES
    frames = [Frame("Original", "original", "Before.")]
    frames += [Frame(f"Unlearning {t}", "unlearn", "Away.") for t in range(1, UNLEARNED + 1)]
    frames += [Frame(f"Relearning {t}", "relearn", "Back.") for t in range(1, FRAMES - UNLEARNED)]
    # A ring of ink has about the mass and the edges of an MNIST digit.
    down, right = np.mgrid[-13.5:14.5, -13.5:14.5]
    radii = random.uniform(5, 9, (SAMPLES, 1, 1))
    ink = np.clip(2.2 - np.abs(np.hypot(down, right) - radii), 0, 1) * 255
    panels = [
        _made_up_panel("PRU", "#0072b2", true, random),
        _made_up_panel("Boundary shrink", "#d55e00", true, random),
    ]
    return Movie(panels, frames, true, NAMES, {CLASSES - 1}, ink.astype(np.uint8))


def _made_up_panel(title: str, color: str, true: Any, random: np.random.Generator) -> Panel:
    away = np.interp(np.arange(FRAMES), [0, UNLEARNED, FRAMES - 1], [0, 1, 0.5])[:, np.newaxis]
    forgotten = true == CLASSES - 1
    target = random.integers(0, CLASSES - 1, SAMPLES)
    centres = random.uniform(-10, 10, (CLASSES, 2))
    start, end = (centres[c] + random.normal(0, 1, (SAMPLES, 2)) for c in (true, target))
    part = (away * np.where(forgotten, 0.9, 0.1))[:, :, np.newaxis]
    xy = start * (1 - part) + end * part + random.normal(0, 0.05, (FRAMES, SAMPLES, 2))
    logits = random.normal(0, 1, (SAMPLES, CLASSES))
    logits = logits + np.cumsum(random.normal(0, 0.15, (FRAMES, SAMPLES, CLASSES)), axis=0)
    here = np.arange(SAMPLES)
    # Sure in frame 0; after that most samples have a second class of more than half a percent, as
    # in the bundled runs of PRU.
    logits[0, here, true] += 12
    logits[1:, here, true] += 5 * np.where(forgotten, 1 - away[1:], 1)
    logits[1:, here, target] += 5 * np.where(forgotten, away[1:], 0)
    p = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    top = np.argsort(-p, axis=2)[:, :, :3]
    return Panel(
        title,
        color,
        xy=xy.astype(np.float32),
        top=top.astype(np.uint8),
        p_top=np.take_along_axis(p, top, 2).astype(np.float32),
        p_f=p[:, :, CLASSES - 1].astype(np.float32),
        moved=(np.linalg.norm(xy - xy[0], axis=2) / 9).astype(np.float32),
    )


if __name__ == "__main__":
    main()
