"""The web application: ``streamlit run app.py``.

The script that draws pages is ``pru_demo/ui/main.py``. It must not lie beside a folder called
``pages/``: Streamlit would then serve those files directly, without navigation, to whoever follows
a deep link on a fresh server.
"""

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from pru_demo.paths import ASSETS
from pru_demo.ui.headers import SecurityHeaders
from pru_demo.ui.shared.services import ENGINE
from pru_demo.ui.visitor import VisitorCookie

_log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Leave the engine with the server; what is in flight resumes when either is back."""
    yield
    ENGINE.close()


def apologise(error: Exception) -> bool:
    """One sentence for the visitor, the trace for the log, a reference that joins them."""
    reference = secrets.token_hex(4)
    _log.error("Page failed, reference %s", reference, exc_info=error)
    st.error(
        f"This page failed; nothing that was computed is lost. Reload it, and if it fails again "
        f"tell the operator the reference {reference}."
    )
    return True


app = st.App(
    Path(__file__).parent / "pru_demo" / "ui" / "main.py",
    lifespan=lifespan,
    routes=[Mount("/fonts", StaticFiles(directory=ASSETS / "fonts"))],
    middleware=[Middleware(SecurityHeaders), Middleware(VisitorCookie)],
    on_script_error=apologise,
)
