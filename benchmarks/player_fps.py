"""How smoothly a film of moving samples plays in a browser without a graphics card.

    PYTHONPATH=. python benchmarks/player_fps.py [--output FILE]

Compares the canvas player, the player with tails and the exported Plotly film on the bundled runs
of PRU and Boundary Shrink (``full``) beside each other. Needs Chromium and playwright. Writes
``benchmarks/results/player-fps.json``.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from browser import DESK, ROOT, chosen_output, chromium, new_page, served
from machine import RESULTS, machine_facts, write_result

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.figures.dot_maps import FRAME_MS, film_figure
from pru_demo.ui.components.map_player.movie import Movie
from pru_demo.ui.components.map_player.payload import encode_movie
from pru_demo.ui.perception.player_film import Shown, movie_of
from pru_demo.ui.shared.records import perceived_of, placed_of, record_of

# Around the end of unlearning samples are farthest from home.
LONGEST_TAILS = 13
SECONDS = 6
ROUNDS = 3

# What the measured apps show.
PLAYER = """
from player_fps import bundled_movie
from pru_demo.ui.components.map_player import map_player
map_player(bundled_movie(), key="film")
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
    output = chosen_output(__doc__, RESULTS / "player-fps.json")
    facts = machine_facts()
    # What is served can import this file.
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "app.py"
        app.write_text(PLAYER)
        with served(app, PYTHONPATH=paths) as address:
            plain = measure(browser, address, play_canvas)
            tails = measure(browser, address, play_with_tails)
        app.write_text(PLOTLY)
        with served(app, PYTHONPATH=paths) as address:
            plotly = measure(browser, address, play_plotly)
        version = browser.version
    movie = bundled_movie()
    payload = len(json.dumps(encode_movie(movie)))
    result = {
        "what": f"{len(movie.true)} samples x {len(movie.frames)} frames x 2 panels, {SECONDS} s; "
        f"the median of {ROUNDS} rounds. Frames are the browser's; the canvas has a new picture in "
        f"each, Plotly one in {FRAME_MS} ms",
        "machine": facts,
        "chromium": f"{version}, headless, software rendering, {DESK}",
        "canvas_player": plain | {"payload_bytes": payload},
        "canvas_player_with_tails": tails | {"payload_bytes": payload},
        "plotly_film": plotly | {"payload_bytes": len(plotly_film().to_json())},
    }
    write_result(output, result)


def measure(browser: Any, address: str, play: Any) -> dict[str, float]:
    """Frames per second and the 95th percentile of the gaps between them, while ``play`` plays."""
    rounds = []
    for _ in range(ROUNDS):
        with new_page(browser) as page:
            page.goto(address)
            page.wait_for_timeout(3000)
            moves = play(page)
            gaps = page.evaluate(GAPS, SECONDS)
            if not moves():
                raise RuntimeError("Nothing moved: there was nothing to measure.")
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


def plotly_film() -> Any:
    """The exported figure of the same film."""
    movie = bundled_movie()
    return film_figure(movie.panels, movie.frames, movie.true, movie.class_names, movie.forgotten)


def bundled_movie() -> Movie:
    """PRU and Boundary Shrink with the paper's numbers of epochs, on the map over time."""
    shown = []
    for method in ("pru", "boundary_shrink"):
        config = RunConfig(Scenario(preset="full"), Pick(method, "tuned"))
        record, place = record_of(config), placed_of(config, "time")
        perceived = perceived_of(config)
        if record is None or place is None or perceived is None:
            raise RuntimeError(f"{method} is not among the bundled records.")
        shown.append(Shown(record, place.xy, perceived.moved))
    return movie_of(shown)


if __name__ == "__main__":
    main()
