"""What the visitor looks at. The address bar is its only home: the whole state is the link."""

import re

import streamlit as st

from pru_demo.links import View, is_query_key, view_from_query

_LAST = "view_query"


def current_view() -> View:
    """The view of this script run, read from the URL; says what had to be replaced in it.

    Moving to another page empties the URL, so the last query of the session fills it again.
    """
    query = _asked()
    if not query:
        query = st.session_state.get(_LAST, {})
    view, notices = view_from_query(query)
    for notice in notices:
        st.toast(_plain(notice), icon=":material/link_off:", duration="long")
    show(view)
    return view


def show(view: View) -> None:
    """Make ``view`` the current one, in the URL and for the pages visited next."""
    st.session_state[_LAST] = view.query()
    now = _asked()
    if now != view.query():
        for name in now.keys() - view.query().keys():
            del st.query_params[name]
        st.query_params.update(view.query())


def _asked() -> dict[str, str]:
    """What the address says of a view; it may say other things, too."""
    return {k: v for k, v in st.query_params.to_dict().items() if is_query_key(k)}


def _plain(text: str) -> str:
    """``text`` so that Markdown shows it as it is: a notice quotes what a stranger typed."""
    return re.sub(r"([\\`*_~\[\]<>$:#|!&])", r"\\\1", text)
