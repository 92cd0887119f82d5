"""Runs that outlive a visitor, a tab and the web server, seen in a real browser."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pru_demo.links import View
from pru_demo.paths import RECORDS
from pru_demo.store.bundle import MANIFEST
from tests.browser.conftest import REPOSITORY, processes_with, real_app, streamlit_server
from tests.browser.test_journey import ACCURACIES, RUN, SHORT, SOON, query, run_button
from tests.live_maps import put_live_maps


def link_to_one_run(forgotten: int, store: Path) -> str:
    """Of a short run that need not fit a map first; A and B are the same: one run, not two."""
    view = replace(View(SHORT), b=View().a)
    view = replace(view, scenario=replace(SHORT, forget=(forgotten,)))
    put_live_maps(store, view.scenario)
    return f"forget?{query(view)}"


pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (RECORDS / MANIFEST).exists(),
        reason="assets/records is not made yet: python -m pru_demo precompute",
    ),
]


@contextlib.contextmanager
def visitor(browser: Any) -> Iterator[Any]:
    """A page of somebody else: another browser, as far as cookies tell."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(SOON)
    yield page
    context.close()


def test_two_visitors_follow_one_run_and_one_of_them_may_leave_it(
    browser: Any, tmp_path: Path
) -> None:
    with real_app(tmp_path) as address, visitor(browser) as first, visitor(browser) as second:
        link = f"{address}/{link_to_one_run(6, tmp_path / 'store')}"
        first.goto(link)
        run_button(first).click()
        first.get_by_text(ACCURACIES).first.wait_for(timeout=RUN)
        second.goto(link)
        second.get_by_text(ACCURACIES).first.wait_for()
        assert run_button(second).count() == 0

        first.get_by_role("button", name="Cancel").first.click()
        first.get_by_text("Another visitor follows it, so it goes on.").wait_for()
        # The same tab of another window, and still going on for the one who stayed.
        said = second.get_by_test_id("stProgress").first.inner_text()
        second.wait_for_function(
            "said => document.querySelector('[data-testid=stProgress]').innerText !== said",
            arg=said,
        )
        second.get_by_role("heading", name="Forget 6", exact=True).wait_for(timeout=RUN)


def web_server(marker: str) -> int:
    """The process that serves pages, as told from the engine and its workers."""
    (pid,) = (
        pid
        for pid in processes_with(marker)
        if b"streamlit" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    return pid


def test_a_run_goes_on_while_the_web_server_is_killed_and_the_next_one_shows_it(
    browser: Any, tmp_path: Path
) -> None:
    store, link = str(tmp_path / "store"), link_to_one_run(2, tmp_path / "store")
    app = REPOSITORY / "app.py"
    with streamlit_server(app, tmp_path / "one.log", PRU_STORE_DIR=store) as address:
        with visitor(browser) as page:
            page.goto(f"{address}/{link}")
            run_button(page).click()
            page.get_by_text(ACCURACIES).first.wait_for(timeout=RUN)
        os.kill(web_server(store), signal.SIGKILL)
    assert processes_with(store) != [], "the engine and its worker are still there"

    next_server = streamlit_server(app, tmp_path / "two.log", PRU_STORE_DIR=store)
    with next_server as address, visitor(browser) as page:
        page.goto(f"{address}/{link}")
        page.get_by_text(ACCURACIES).first.wait_for()
        assert run_button(page).count() == 0
        page.get_by_role("heading", name="Forget 2", exact=True).wait_for(timeout=RUN)
    assert processes_with(store) == []
