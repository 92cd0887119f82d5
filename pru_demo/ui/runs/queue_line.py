"""What the engine is busy with, in one line that keeps itself up to date."""

from collections import Counter

import streamlit as st

from pru_demo.ui.shared.services import ENGINE

_POLL_SECONDS = 2.0
_WORDS = {"running": "running", "queued": "waiting"}


def queue_line() -> None:
    """Count the jobs in flight, if there are any; when one ends, the page is drawn anew."""
    if keys := {job.key for job in ENGINE.jobs() if job.state in _WORDS}:
        _line(keys)


@st.fragment(run_every=_POLL_SECONDS)
def _line(before: set[str]) -> None:
    jobs = [job for job in ENGINE.jobs() if job.state in _WORDS]
    if before - {job.key for job in jobs}:
        st.rerun()
    states = Counter(str(job.state) for job in jobs)
    counts = [f"{states[state]} {word}" for state, word in _WORDS.items() if states[state]]
    st.markdown(
        f":material/pending: On this server now: **{', '.join(counts)}**. "
        "The table shows each run when it ends."
    )
