"""How long a visitor waits, in a real browser on this machine.

    python benchmarks/page_speed.py [--output FILE]

Needs Chromium, playwright and the bundled records. Times are taken outside of the browser, so
some ten milliseconds of remote control are in each. Writes ``benchmarks/results/page-speed.json``.
"""

import json
import re
import time
from pathlib import Path
from statistics import median
from typing import Any

from browser import (
    PAGES,
    ROOT,
    chosen_output,
    chromium,
    draw_a_nine,
    served_app,
    url_of,
    wait_until_healthy,
)
from machine import describe_machine

RESULT = Path(__file__).parent / "results" / "page-speed.json"
STARTS, SWITCHES, STROKES = 3, 5, 10
PATIENCE = 120_000
ANSWER = re.compile(r"Original: \d, .*: \d")
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
VIEWPORT = {"width": 1280, "height": 800}


def main() -> None:
    """Measure, print and write the result."""
    output = chosen_output(__doc__, RESULT)
    facts = describe_machine().facts
    with chromium() as browser:
        start_up(browser)  # fills the file cache; not counted
        starts = [start_up(browser) for _ in range(STARTS)]
        with served_app() as address:
            wait_until_healthy(address)
            switches = page_switches(browser, address)
            strokes = draw_to_answer(browser, address)
            first_load = bytes_of_first_load(browser, address)
        version = browser.version
    result = {
        "what": "seconds until something is visible, medians",
        "machine": facts,
        "chromium": version,
        "process_start_to_server": round(median(s["server"] for s in starts), 2),
        "process_start_to_chart": round(median(s["chart"] for s in starts), 2),
        "page_switch": {name: round(median(times), 3) for name, times in switches.items()},
        "stroke_end_to_labels": {
            "first": round(strokes[0], 3),
            "median": round(median(strokes[1:]), 3),
            "all": [round(seconds, 3) for seconds in strokes],
        },
        "bytes": {**first_load, "bundled_records": folder_size(ROOT / "assets" / "records")},
    }
    output.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def start_up(browser: Any) -> dict[str, float]:
    """Seconds from starting the process until it answers, and until Start shows its chart."""
    began = time.perf_counter()
    with served_app() as address:
        wait_until_healthy(address)
        answered = time.perf_counter() - began
        page = new_page(browser)
        page.goto(url_of(address, "start"))
        page.locator(PAGES["start"][1]).first.wait_for()
        seconds = time.perf_counter() - began
        page.context.close()
    return {"server": answered, "chart": seconds}


def page_switches(browser: Any, address: str) -> dict[str, list[float]]:
    """Seconds from a click in the navigation to the picture of each page."""
    page = new_page(browser)
    page.goto(url_of(address, "start"))
    page.locator(PAGES["start"][1]).first.wait_for()
    times: dict[str, list[float]] = {name: [] for name in PAGES}
    for number in range(SWITCHES + 1):
        for name, (title, ready) in [*list(PAGES.items())[1:], ("start", PAGES["start"])]:
            before = page.locator("h1").first.inner_text()
            began = time.perf_counter()
            page.get_by_role("link", name=re.compile(f"{title}$")).first.click()
            page.wait_for_function(
                "before => ![before, undefined].includes(document.querySelector('h1')?.innerText)",
                arg=before,
            )
            # Streamlit keeps the old page's chart until the script has run to its end.
            page.locator(IDLE).wait_for()
            page.locator(ready).first.wait_for()
            if number:  # the first round fills caches
                times[name].append(time.perf_counter() - began)
            page.wait_for_timeout(500)
    page.context.close()
    return times


def draw_to_answer(browser: Any, address: str) -> list[float]:
    """Seconds from lifting the pen to the labels of all networks."""
    page = new_page(browser)
    page.goto(url_of(address, "try_it"))
    page.get_by_label("Draw a digit").wait_for()
    times = []
    for _ in range(STROKES + 1):
        page.wait_for_timeout(500)
        draw_a_nine(page)
        began = time.perf_counter()
        page.get_by_text(ANSWER).wait_for()
        times.append(time.perf_counter() - began)
        page.get_by_role("button", name="Clear").click()
        page.get_by_text(ANSWER).wait_for(state="detached")
    page.context.close()
    return times


def bytes_of_first_load(browser: Any, address: str) -> dict[str, int]:
    """What crosses the wire until Start is drawn, with an empty browser cache."""
    page = new_page(browser)
    sums = {"http_first_load": 0, "websocket_first_load": 0}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def add(name: str, amount: float) -> None:
        sums[name] += int(amount)

    session.on(
        "Network.loadingFinished", lambda event: add("http_first_load", event["encodedDataLength"])
    )
    session.on(
        "Network.webSocketFrameReceived",
        # Binary frames arrive as base64.
        lambda event: add("websocket_first_load", len(event["response"]["payloadData"]) * 3 / 4),
    )
    page.goto(url_of(address, "start"))
    page.locator(PAGES["start"][1]).first.wait_for()
    page.wait_for_timeout(2000)
    page.context.close()
    return sums


def new_page(browser: Any) -> Any:
    """A page with an empty cache."""
    page = browser.new_context(viewport=VIEWPORT).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def folder_size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
