"""Who is visiting: a random name for each browser, so that visitors find their own runs again.

There are no accounts. A cookie that no script can read carries the name over reloads and tabs; who
refuses cookies has a name for as long as the session lasts. The name itself is as good as a
password and stays between browser and server: stored and shown is only what :func:`owner` makes
of it.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, MutableMapping
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any

import streamlit as st
from starlette.requests import cookie_parser

from pru_demo.ui.headers import Application, Receive, Scope, Send

COOKIE = "pru_visitor"
HALF_A_YEAR = 183 * 24 * 60 * 60
MINUTES_A_DAY = 24 * 60

_BYTES = 16
# What ``secrets.token_urlsafe(16)`` makes: base64 without padding.
_NAME = re.compile(r"[A-Za-z0-9_-]{22}")
_SESSION = "visitor"

_Headers = Iterable[tuple[bytes, bytes]]


def visitor() -> str:
    """The visitor's random name. Whoever has it can delete the visitor's runs: never show it."""
    name = str(st.context.cookies.get(COOKIE))  # in Streamlit's own tests this is no string
    if _NAME.fullmatch(name):
        return name
    made: str = st.session_state.setdefault(_SESSION, secrets.token_urlsafe(_BYTES))
    return made


def owner(name: str) -> str:
    """A visitor's name as it is stored with a run: always the same one, and no way back from it."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def time_zone() -> tzinfo:
    """Where the visitor's clock stands now; UTC if the browser does not say, or says nonsense."""
    west = st.context.timezone_offset
    return timezone(-timedelta(minutes=west)) if west and abs(west) < MINUTES_A_DAY else UTC


class VisitorCookie:
    """Gives a browser its name with the first page, before the websocket that carries it back."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        if scope["type"] != "http" or _has_name(scope["headers"]):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and _is_page(message, scope["headers"]):
                # ``private``, or a cache on the way would hand one visitor's name to the next.
                message["headers"] = [
                    *message.get("headers", []),
                    (b"set-cookie", _new_cookie(secure=scope.get("scheme") == "https")),
                    (b"cache-control", b"private"),
                ]
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _has_name(headers: _Headers) -> bool:
    """Read as the websocket's cookies are, so that both agree on who has a name."""
    sent = "; ".join(value.decode("latin-1") for name, value in headers if name == b"cookie")
    return bool(_NAME.fullmatch(cookie_parser(sent).get(COOKIE, "")))


def _is_page(response: MutableMapping[str, Any], request: _Headers) -> bool:
    """Whether a browser shows the response as a page, or one it already has (304)."""
    if response["status"] == 304:
        return b"text/html" in dict(request).get(b"accept", b"")
    kind: bytes = dict(response.get("headers", [])).get(b"content-type", b"")
    return kind.startswith(b"text/html")


def _new_cookie(*, secure: bool) -> bytes:
    name = secrets.token_urlsafe(_BYTES)
    parts = [f"{COOKIE}={name}", f"Max-Age={HALF_A_YEAR}", "Path=/", "HttpOnly", "SameSite=Lax"]
    return "; ".join([*parts, *(["Secure"] if secure else [])]).encode()
