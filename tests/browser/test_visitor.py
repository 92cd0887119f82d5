"""A browser has a name from its first page on, and keeps it; the next browser has another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pru_demo.ui.visitor import COOKIE, owner

pytestmark = pytest.mark.browser

APP = """
import streamlit as st
from starlette.middleware import Middleware
from pru_demo.ui.visitor import VisitorCookie
app = st.App({script!r}, middleware=[Middleware(VisitorCookie)])
"""
SCRIPT = """
import streamlit as st
from pru_demo.ui.visitor import owner, visitor
st.markdown(f"owner {owner(visitor())}")
"""


def shown_owner(page: Any, address: str) -> str:
    page.goto(address)
    text: str = page.get_by_text("owner ").inner_text(timeout=60_000)
    return text.removeprefix("owner ")


def test_the_name_is_there_at_once_and_stays_over_reloads_and_tabs(
    browser: Any, serve: Callable[[str], str], tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, "utf-8")
    address = serve(APP.format(script=str(script)))
    first, second = browser.new_context(), browser.new_context()
    page = first.new_page()
    name = shown_owner(page, address)
    (cookie,) = [each for each in first.cookies() if each["name"] == COOKIE]
    assert owner(cookie["value"]) == name
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    page.reload()
    assert shown_owner(page, address) == name
    assert shown_owner(first.new_page(), address) == name
    assert shown_owner(second.new_page(), address) != name
    first.close()
    second.close()
