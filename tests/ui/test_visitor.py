"""Every browser gets one name of its own, with a page and never with anything else."""

import asyncio
import re
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pru_demo.ui.visitor import COOKIE, VisitorCookie, owner

NAME = "ABCDEFGHIJKLMNOPQRST_-"
HTML = (b"content-type", b"text/html; charset=utf-8")
JSON = (b"content-type", b"application/json")
WANTS_HTML = (b"accept", b"text/html,application/xhtml+xml")
Header = tuple[bytes, bytes]


def run(awaitable: Coroutine[Any, Any, None]) -> None:
    """On a thread of its own: the browser tests leave an event loop running on this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, awaitable).result()


def answered(
    *request: Header,
    status: int = 200,
    response: Iterable[Header] = (HTML,),
    scheme: str = "http",
) -> list[Header]:
    """The headers of the response to one request, behind the middleware."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [*response]})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "scheme": scheme, "headers": [*request]}
    run(VisitorCookie(app)(scope, None, send))  # type: ignore[arg-type]
    headers: list[Header] = sent[0]["headers"]
    return headers


def given(headers: Iterable[Header]) -> str | None:
    """The value of the cookie that is set."""
    lines = [value.decode() for name, value in headers if name == b"set-cookie"]
    assert len(lines) <= 1
    return SimpleCookie(lines[0])[COOKIE].value if lines else None


def test_the_first_page_gives_a_name_that_no_script_and_no_other_site_can_use() -> None:
    headers = answered()
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", given(headers) or "")
    (line,) = [value.decode() for name, value in headers if name == b"set-cookie"]
    assert "; HttpOnly" in line
    assert "; SameSite=Lax" in line
    assert "; Path=/" in line
    assert int(re.findall(r"Max-Age=(\d+)", line)[0]) == pytest.approx(182.5 * 86400, rel=0.01)
    assert "Secure" not in line


def test_over_https_the_name_travels_encrypted_only() -> None:
    (line,) = [value for name, value in answered(scheme="https") if name == b"set-cookie"]
    assert line.endswith(b"; Secure")


def test_every_browser_gets_another_name() -> None:
    assert len({given(answered()) for _ in range(50)}) == 50


def test_no_cache_on_the_way_keeps_the_page_that_carries_a_name() -> None:
    assert (b"cache-control", b"private") in answered()


def test_who_has_a_name_keeps_it() -> None:
    assert answered((b"cookie", f"{COOKIE}={NAME}".encode())) == [HTML]
    assert answered((b"cookie", f'a=1; {COOKIE}={NAME}; "odd; b'.encode())) == [HTML]
    # HTTP/2 may send each cookie in a header of its own.
    assert answered((b"cookie", b"a=1"), (b"cookie", f"{COOKIE}={NAME}".encode())) == [HTML]


@pytest.mark.parametrize(
    "value", ["", "short", NAME + "x", "../../../../etc/passwd", NAME[1:] + "'"]
)
def test_what_is_no_name_of_ours_is_replaced(value: str) -> None:
    assert given(answered((b"cookie", f"{COOKIE}={value}".encode("latin-1"))))


def test_only_pages_give_names() -> None:
    assert given(answered(response=[JSON])) is None
    assert given(answered(response=[])) is None
    assert given(answered(response=[], status=304)) is None


def test_a_page_that_the_browser_still_has_gives_a_name_too() -> None:
    assert given(answered(WANTS_HTML, response=[], status=304))


def test_a_websocket_passes_untouched() -> None:
    seen: list[Any] = []

    async def app(*arguments: Any) -> None:
        seen.append(arguments)

    run(VisitorCookie(app)({"type": "websocket"}, 1, 2))  # type: ignore[arg-type]
    assert seen == [({"type": "websocket"}, 1, 2)]


def test_an_owner_is_always_the_same_and_does_not_give_the_name_away() -> None:
    assert owner(NAME) == owner(NAME)
    assert re.fullmatch(r"[0-9a-f]{16}", owner(NAME))
    assert owner(NAME) != owner(NAME.lower())


def page() -> None:
    import streamlit as st

    from pru_demo.ui.visitor import visitor

    st.text(visitor())


def test_without_cookies_a_session_has_a_name_of_its_own() -> None:
    one, other = (AppTest.from_function(page).run() for _ in range(2))
    name = one.text[0].value
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", name)
    assert one.run().text[0].value == name
    assert other.text[0].value != name


@pytest.mark.parametrize(("sent", "accepted"), [(NAME, True), (NAME + "x", False), ("<b>", False)])
def test_the_cookie_counts_only_if_it_is_a_name(
    monkeypatch: pytest.MonkeyPatch, sent: str, accepted: bool
) -> None:
    from streamlit.runtime.context import ContextProxy

    monkeypatch.setattr(ContextProxy, "cookies", {COOKIE: sent})
    assert (AppTest.from_function(page).run().text[0].value == sent) == accepted
