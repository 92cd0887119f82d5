"""What is wrong with the files of this installation, in sentences, above everything else."""

import streamlit as st

from pru_demo.ui.services import STORE


def show_store_notices() -> None:
    """Say where results are kept if not where they should be, and which records are damaged.

    Damage is known once a record has been asked for, so call this when the page has ended.
    """
    if STORE.notice:
        st.warning(STORE.notice, icon=":material/folder_off:")
    for sentence in STORE.damaged():
        st.warning(sentence, icon=":material/broken_image:")
