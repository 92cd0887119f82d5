"""What is wrong with the files of this installation, in sentences, above everything else."""

from typing import NoReturn

import streamlit as st

from pru_demo.ui.shared.services import STORE


class PageEnd(Exception):
    """The page has shown what it can; the frame around it goes on."""


def end_page() -> NoReturn:
    """Like ``st.stop()``, after which Streamlit would show nothing more, notices included."""
    raise PageEnd


def show_store_notices() -> None:
    """Say where results are kept if not where they should be, and which records are damaged.

    Damage is known once a record has been asked for, so call this when the page has ended.
    """
    if STORE.notice:
        st.warning(STORE.notice, icon=":material/folder_off:")
    for sentence in STORE.damaged():
        st.warning(sentence, icon=":material/broken_image:")
