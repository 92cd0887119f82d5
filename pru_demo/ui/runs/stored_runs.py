"""The runs in the store, read once each, and deleted by who made them."""

import streamlit as st

from pru_demo.experiment.keys import RUN_PREFIX, everything
from pru_demo.paths import RECORDS
from pru_demo.store.bundle import Bundle
from pru_demo.ui.runs.run_table import StoredRun, read_run
from pru_demo.ui.shared.services import ENGINE, STORE

# Runs that another process computes anew appear after this; those of this one's engine at once.
_SECONDS_KEPT = 600

_BUNDLE = Bundle(RECORDS)


def stored_runs() -> tuple[list[StoredRun], int]:
    """All runs that can be shown, and how many entries cannot."""
    # When a job of the run ended is all that says cheaply whether its record may be a new one.
    ended = {job.key: job.finished for job in ENGINE.jobs()}
    found = [_stored(key, str(ended.get(key))) for key in STORE.keys(RUN_PREFIX)]
    runs = [run for run in found if run is not None]
    return runs, len(found) - len(runs)


def deletable(run: StoredRun, mine: str) -> bool:
    """Whether the visitor ``mine`` made it; what ships with the program nobody did."""
    return not run.shipped and run.owner == mine


def delete_run(run: StoredRun, mine: str) -> bool:
    """Delete all that is stored of ``run``; False if by now it is not the visitor's."""
    # Read again: since the page was drawn, somebody may have run it anew.
    now = _read(run.key)
    if now is None or not deletable(now, mine):
        return False
    for key in everything(run.config):
        STORE.delete(key)
    _stored.clear()
    return True


@st.cache_resource(ttl=_SECONDS_KEPT, max_entries=10_000, show_spinner=False)
def _stored(key: str, version: str) -> StoredRun | None:
    return _read(key)


def _read(key: str) -> StoredRun | None:
    meta = STORE.meta(key)
    if meta is None:
        return None
    # A shipped run that was run anew lies in the cache, above the shipped one.
    return read_run(key, meta, shipped=meta == _BUNDLE.meta(key))
