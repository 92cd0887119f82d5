"""The pages in the order in which they are visited, the ways between them and out of one."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import streamlit as st

from pru_demo.links import View
from pru_demo.paths import ROOT


@dataclass(frozen=True)
class PageSpec:
    """One screen: file in ``pages/``, title, icon."""

    name: str
    title: str
    icon: str

    @property
    def path(self) -> Path:
        """The file; its name is also the page's URL.

        Not of the first page: it answers the bare address only, and Streamlit reserves its name.
        """
        return ROOT / "pages" / f"{self.name}.py"


PAGES: tuple[PageSpec, ...] = (
    PageSpec("start", "Start", ":material/home:"),
    PageSpec("forget", "Forget", ":material/ink_eraser:"),
    PageSpec("perception", "Perception", ":material/bubble_chart:"),
    PageSpec("redistribution", "Redistribution", ":material/call_split:"),
    PageSpec("relearning", "Relearning", ":material/history:"),
    PageSpec("inside", "Inside", ":material/layers:"),
    PageSpec("try_it", "Try it", ":material/draw:"),
    PageSpec("runs", "Runs", ":material/table_rows:"),
)


def link_to(name: str, label: str, view: View) -> None:
    """A link to a page that keeps what the visitor looks at."""
    page = _page(name)
    st.page_link(page.path, label=label, icon=page.icon, query_params=view.query())


def go_to(name: str, view: View) -> None:
    """Leave for a page, keeping what the visitor looks at."""
    st.switch_page(_page(name).path, query_params=view.query())


class PageEnd(Exception):
    """The page has shown what it can; the frame around it goes on."""


def end_page() -> NoReturn:
    """Like ``st.stop()``, after which Streamlit would show nothing more, notices included."""
    raise PageEnd


def _page(name: str) -> PageSpec:
    return next(page for page in PAGES if page.name == name)
