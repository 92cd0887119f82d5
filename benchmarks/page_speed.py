"""How long a visitor waits, in a real browser on this machine.

    python benchmarks/page_speed.py [--output FILE]

Needs Chromium, playwright and the bundled records. Times are taken outside of the browser, so
some ten milliseconds of remote control are in each. Writes ``benchmarks/results/page-speed.json``.
"""

import re
import time
from pathlib import Path
from statistics import median
from typing import Any

from browser import (
    IDLE,
    PAGES,
    ROOT,
    chosen_output,
    chromium,
    draw_a_nine,
    new_page,
    served,
    visit,
)
from machine import RESULTS, machine_facts, write_result

STARTS, SWITCHES, STROKES = 3, 5, 10
ANSWER = re.compile(r"Original: \d, .*: \d")
# By its title, which is not that of the page before.
NEXT_PAGE = "before => ![before, undefined].includes(document.querySelector('h1')?.innerText)"


def main() -> None:
    """Measure, print and write the result."""
    output = chosen_output(__doc__, RESULTS / "page-speed.json")
    facts = machine_facts()
    with chromium() as browser:
        start_up(browser)  # fills the file cache; not counted
        starts = [start_up(browser) for _ in range(STARTS)]
        with served() as address:
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
    write_result(output, result)


def start_up(browser: Any) -> dict[str, float]:
    """Seconds from starting the process until it answers, and until Start shows its chart."""
    began = time.perf_counter()
    with served() as address:
        answered = time.perf_counter() - began
        with new_page(browser) as page:
            visit(page, address, "start")
            return {"server": answered, "chart": time.perf_counter() - began}


def page_switches(browser: Any, address: str) -> dict[str, list[float]]:
    """Seconds from a click in the navigation to the picture of each page."""
    times: dict[str, list[float]] = {name: [] for name in PAGES}
    with new_page(browser) as page:
        visit(page, address, "start")
        for number in range(SWITCHES + 1):
            for name, (title, ready) in [*list(PAGES.items())[1:], ("start", PAGES["start"])]:
                before = page.locator("h1").first.inner_text()
                began = time.perf_counter()
                page.get_by_role("link", name=re.compile(f"{title}$")).first.click()
                page.wait_for_function(NEXT_PAGE, arg=before)
                # Streamlit keeps the old page's chart until the script has run to its end.
                page.locator(IDLE).wait_for()
                page.locator(ready).first.wait_for()
                if number:  # the first round fills caches
                    times[name].append(time.perf_counter() - began)
                page.wait_for_timeout(500)
    return times


def draw_to_answer(browser: Any, address: str) -> list[float]:
    """Seconds from lifting the pen to the labels of all networks."""
    times = []
    with new_page(browser) as page:
        visit(page, address, "try_it")
        page.get_by_label("Draw a digit").wait_for()
        for _ in range(STROKES + 1):
            page.wait_for_timeout(500)
            draw_a_nine(page)
            began = time.perf_counter()
            page.get_by_text(ANSWER).wait_for()
            times.append(time.perf_counter() - began)
            page.get_by_role("button", name="Clear").click()
            page.get_by_text(ANSWER).wait_for(state="detached")
    return times


def bytes_of_first_load(browser: Any, address: str) -> dict[str, int]:
    """What crosses the wire until Start is drawn, with an empty browser cache."""
    http: list[int] = []
    websocket: list[int] = []
    with new_page(browser) as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda it: http.append(int(it["encodedDataLength"])))
        session.on(
            "Network.webSocketFrameReceived",
            # Binary frames arrive as base64.
            lambda it: websocket.append(len(it["response"]["payloadData"]) * 3 // 4),
        )
        visit(page, address, "start")
        page.wait_for_timeout(2000)
    return {"http_first_load": sum(http), "websocket_first_load": sum(websocket)}


def folder_size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
