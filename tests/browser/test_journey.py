"""The application itself in a real browser, from a link to a drawing that two networks judge."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from pru_demo.config import Pick, Scenario
from pru_demo.links import View
from pru_demo.paths import RECORDS
from pru_demo.store.bundle import MANIFEST
from pru_demo.ui.shared.pages import PAGES
from tests.browser.conftest import processes_with, real_app
from tests.live_maps import put_live_maps

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (RECORDS / MANIFEST).exists(),
        reason="assets/records is not made yet: python -m pru_demo precompute",
    ),
]

# Milliseconds: a short run takes seconds, and more where something else is computed meanwhile.
SOON, RUN = 60_000, 900_000
# Little work, but enough that a page can be reloaded meanwhile.
SHORT = Scenario(forget_samples=128, relearn_epochs=2)
ACCURACIES = re.compile(r"A_f \d+ %, A_r \d+ %")
CHART = ".js-plotly-plot .main-svg"
READ_CHARTS = """() => [...document.querySelectorAll('.js-plotly-plot .main-svg')]
    .map(svg => svg.innerHTML).join('')"""


def query(view: View) -> str:
    return urlencode(view.query())


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of 1280×800 that must log no error and ask no other origin for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(SOON)
    errors: list[str] = []
    asked: list[str] = []

    def log(entry: Any) -> None:
        # Streamlit looks for its own address below every page's address first.
        probe = "/_stcore/" in entry.location.get("url", "") and "404" in entry.text
        if entry.type == "error" and not probe:
            errors.append(f"{entry.text} ({entry.location.get('url')})")

    page.on("console", log)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    yield page
    context.close()
    assert errors == []
    home = re.compile(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:")
    assert asked != []
    assert [url for url in asked if not home.match(url)] == []


def heading(page: Any, text: str) -> Any:
    return page.get_by_role("heading", name=text, exact=True)


def navigate(page: Any, name: str) -> None:
    page.get_by_role("link", name=re.compile(rf"{name}$")).first.click()


def run_button(page: Any) -> Any:
    return page.get_by_role("button", name=re.compile(r"Run PRU"))


def next_progress(page: Any, before: str) -> str:
    """What the progress of the first run says once its step is another than ``before``."""
    page.wait_for_function(
        """([pattern, before]) => {
            const found = [...document.querySelectorAll('[data-testid=stProgress]')]
                .map(bar => bar.innerText).find(text => new RegExp(pattern).test(text));
            return found && found.split(' · ')[0] !== before;
        }""",
        arg=[ACCURACIES.pattern, before],
        timeout=RUN,
    )
    bars = page.get_by_test_id("stProgress").filter(has_text=ACCURACIES)
    return str(bars.first.inner_text(timeout=SOON)).split(" · ")[0]


def draw_a_stroke(page: Any) -> None:
    box = page.get_by_label("Draw a digit").bounding_box()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 0.15 * box["height"])
    page.mouse.down()
    page.mouse.move(x, box["y"] + 0.85 * box["height"], steps=8)
    page.mouse.up()


def test_a_visitor_follows_a_link_runs_something_reloads_relearns_and_draws(
    page: Any, tmp_path: Path
) -> None:
    view = View(replace(SHORT, forget=(3,)))
    put_live_maps(tmp_path / "store", view.scenario)
    with real_app(tmp_path) as address:
        # The very first request to this server.
        page.goto(f"{address}/relearning?forget=9")
        heading(page, "Make it remember 9").wait_for()
        for each in PAGES:
            assert page.get_by_role("link", name=re.compile(rf"{each.title}$")).count() >= 1
        page.get_by_text("Forget the class").wait_for()
        page.locator(CHART).first.wait_for()

        page.goto(f"{address}/forget?{query(view)}")
        run_button(page).click()
        page.get_by_text(ACCURACIES).first.wait_for(timeout=RUN)
        first = next_progress(page, before="")
        second = next_progress(page, before=first)
        assert run_button(page).count() == 0

        page.reload()
        page.get_by_text(ACCURACIES).first.wait_for()
        assert run_button(page).count() == 0
        third = next_progress(page, before=second)
        assert third not in (first, second)
        heading(page, "Forget 3").wait_for(timeout=RUN)
        page.locator(CHART).first.wait_for()

        navigate(page, "Relearning")
        heading(page, "Make it remember 3").wait_for()
        page.locator(CHART).first.wait_for()
        slider = page.get_by_role("slider", name="Relearning epoch")
        before = page.evaluate(READ_CHARTS)
        slider.focus()
        page.keyboard.press("ArrowLeft")
        page.get_by_text("have come back by epoch 1").first.wait_for()
        page.wait_for_function(f"before => ({READ_CHARTS})() !== before", arg=before)

        navigate(page, "Try it")
        heading(page, "Draw a 3 and ask").wait_for()
        page.get_by_label("Draw a digit").wait_for()
        draw_a_stroke(page)
        answer = re.compile(r"PRU \(rehearsed\): \d, Boundary Shrink \(tuned\): \d")
        page.get_by_text(answer).wait_for()
        page.goto("about:blank")  # or it logs that the server has gone


def test_cancel_stops_the_runs_and_offers_them_again(page: Any, app_address: str) -> None:
    page.goto(f"{app_address}/forget?forget=4")
    run_button(page).click()
    cancel = page.get_by_role("button", name="Cancel")
    cancel.first.wait_for()
    while cancel.count():
        page.get_by_text(re.compile("waiting, number|· \\d+ s")).first.wait_for()
        still = cancel.count()
        cancel.last.click()
        page.wait_for_function(
            """still => [...document.querySelectorAll('button')]
                .filter(button => button.innerText.includes('Cancel')).length < still""",
            arg=still,
        )
    page.get_by_text("was cancelled. Nothing else was lost.").first.wait_for()
    run_button(page).wait_for()
    page.reload()
    run_button(page).wait_for()


def test_stopping_the_server_stops_a_run_with_it(page: Any, tmp_path: Path) -> None:
    with real_app(tmp_path) as address:
        page.goto(f"{address}/forget?forget=5")
        run_button(page).click()
        page.get_by_role("button", name="Cancel").first.wait_for()
        page.get_by_text(re.compile("Loading|· \\d+ s")).first.wait_for()
        assert len(processes_with(str(tmp_path))) > 1
        page.goto("about:blank")  # or it logs that the server has gone
    # real_app itself checks that nothing is left.


def settle(page: Any) -> None:
    """Return once the script has rested and the address has been the same for two seconds."""
    before = ""
    while page.url != before:
        before = page.url
        page.wait_for_timeout(2000)
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def test_back_returns_to_the_page_and_the_view_before(page: Any, app_address: str) -> None:
    view = View(Scenario(), Pick("pru", "paper"), Pick("retrain", "paper"))
    page.goto(f"{app_address}/relearning?{query(view)}")
    heading(page, "Make it remember 9").wait_for()
    page.get_by_text("PRU (paper)").first.wait_for()
    entries = page.evaluate("history.length")
    navigate(page, "Redistribution")
    heading(page, "Where do the 9s go?").wait_for()
    page.get_by_text("PRU (paper)").first.wait_for()
    # Going back while the page still writes its address would overtake it, as a person cannot.
    page.wait_for_function("() => location.search.includes('a=pru%3Apaper')")
    settle(page)
    assert page.evaluate("history.length") == entries + 1
    page.go_back()
    heading(page, "Make it remember 9").wait_for()
    page.get_by_text("PRU (paper)").first.wait_for()
    page.wait_for_function("() => location.pathname === '/relearning'")
    page.wait_for_function("() => location.search.includes('a=pru%3Apaper')")


def test_the_link_of_the_scenario_bar_leads_to_the_same_view(page: Any, app_address: str) -> None:
    view = View(Scenario(), Pick("pru", "released"), Pick("original", "paper"))
    page.goto(f"{app_address}/relearning?{query(view)}")
    heading(page, "Make it remember 9").wait_for()
    page.get_by_role("button", name=re.compile("More")).first.click()
    link = page.get_by_text(re.compile(r"^http://127.*released")).first.inner_text()
    page.goto(link)
    heading(page, "Make it remember 9").wait_for()
    page.get_by_text("PRU (released)").first.wait_for()


def test_the_map_may_be_left_while_it_plays(page: Any, app_address: str) -> None:
    page.goto(f"{app_address}/perception")
    page.get_by_role("button", name="Play").click()
    page.get_by_text("Classic UMAP", exact=True).click()
    page.get_by_text("Every picture is made for itself").wait_for()
    page.get_by_text("Over time", exact=True).first.click()
    page.get_by_role("button", name="Play").wait_for()


def test_a_drawing_is_dropped_on_the_map_and_taken_off(page: Any, app_address: str) -> None:
    page.goto(f"{app_address}/try_it")
    draw_a_stroke(page)
    page.get_by_role("button", name="Drop it on the map").click()
    heading(page, "Does it still see a 9?").wait_for()
    page.get_by_text("your drawing", exact=True).wait_for()
    page.get_by_role("button", name="Take your drawing off the map").click()
    page.get_by_text("your drawing", exact=True).wait_for(state="detached")


def test_the_film_is_one_file_that_plays_by_itself(
    page: Any, app_address: str, tmp_path: Path
) -> None:
    page.goto(f"{app_address}/perception")
    button = page.get_by_role("button", name="Download the film")
    button.wait_for()
    # A click while the page is still being drawn would be lost; the file is made when asked for.
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    with page.expect_download(timeout=120_000) as download:
        button.click()
    file = tmp_path / "film.html"
    download.value.save_as(file)
    film = page.context.new_page()
    requests: list[str] = []
    film.on("request", lambda request: requests.append(request.url))
    film.goto(file.as_uri())
    film.get_by_text("Play", exact=True).wait_for(timeout=60_000)
    first = film.locator(".scatterlayer path.point").first
    before = first.get_attribute("transform")
    film.get_by_text("Play", exact=True).click()
    film.wait_for_function(
        "before => document.querySelector('.scatterlayer path.point')"
        ".getAttribute('transform') !== before",
        arg=before,
        timeout=60_000,
    )
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


def test_a_hostile_link_is_quoted_and_not_interpreted(page: Any, app_address: str) -> None:
    hostile = "<img src=//e.x/1>", "![](//e.x/2.png)", "[win](//e.x)"
    page.goto(f"{app_address}/?preset={hostile[0]}&model={hostile[1]}&dataset={hostile[2]}")
    toasts = page.get_by_test_id("stToast")
    toasts.nth(2).wait_for()
    said = " ".join(toasts.all_inner_texts())
    assert all(text in said for text in hostile)
    assert toasts.locator("a, img").count() == 0


def test_on_a_phone_nothing_overflows(page: Any, app_address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    overflow = """() => [document.documentElement,
                         document.querySelector('[data-testid=stMain]')]
        .map(box => box.scrollWidth - box.clientWidth)"""
    for name in [page.name for page in PAGES]:
        page.goto(f"{app_address}/{name if name != PAGES[0].name else ''}")
        page.locator("h1").first.wait_for()
        ready = CHART if name not in ("try_it", "perception", "runs") else "canvas"
        page.locator(ready).first.wait_for()
        page.wait_for_timeout(500)  # figures take the width of the window after they are drawn
        assert page.evaluate(overflow) == [0, 0], name
