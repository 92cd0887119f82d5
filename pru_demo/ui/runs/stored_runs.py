"""The runs in the store, read once each into a row, and deleted by who made them.

What is read may have been written by another version, or by whoever could write to the store's
folder: an entry that this installation does not understand is no run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pru_demo.config import RunConfig
from pru_demo.experiment.keys import RUN_PREFIX, everything, run_key
from pru_demo.experiment.record import RunRecord
from pru_demo.links import View, view_from_query
from pru_demo.paths import RECORDS
from pru_demo.store.bundle import Bundle
from pru_demo.store.entry import Entry
from pru_demo.ui.shared.services import ENGINE, STORE

# Runs that another process computes anew appear after this; those of this one's engine at once.
_SECONDS_KEPT = 600

_BUNDLE = Bundle(RECORDS)


@dataclass(frozen=True)
class StoredRun:
    """One row. Accuracies in percent; None is what was not computed or not recorded.

    ``highest``: the highest A_f of all relearning epochs. ``made``: ISO date, with the time since
    runs record it. ``owner``: see ``ui.visitor``, "" if nobody's.
    """

    key: str
    config: RunConfig
    a_f: float | None
    a_r: float
    highest: float | None
    batch_norm_only: float | None
    failure: str
    seconds: float | None
    device: str
    made: str
    owner: str
    shipped: bool


def stored_runs() -> tuple[list[StoredRun], int]:
    """All runs that can be shown, and how many entries cannot."""
    # When a job of the run ended is all that says cheaply whether its record may be a new one.
    ended = {job.key: job.finished for job in ENGINE.jobs()}
    found = [_stored(key, str(ended.get(key))) for key in STORE.keys(RUN_PREFIX)]
    runs = [run for run in found if run is not None]
    return runs, len(found) - len(runs)


def is_own(run: StoredRun, mine: str) -> bool:
    """Whether the visitor ``mine`` made it; what ships with the program nobody did."""
    return not run.shipped and run.owner == mine


def delete_run(run: StoredRun, mine: str) -> bool:
    """Delete all that is stored of ``run``; False if by now it is not the visitor's."""
    # Read again: since the page was drawn, somebody may have run it anew.
    now = _read(run.key)
    if now is None or not is_own(now, mine):
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


def read_run(key: str, meta: Mapping[str, Any], *, shipped: bool) -> StoredRun | None:
    """The row of a record's header, or None if it is none that this installation understands."""
    try:
        record = RunRecord.from_entry(Entry(dict(meta), {}))
        if key != run_key(record.config) or not _is_known(record.config):
            return None
        a_f, a_r = ([float(a) for a in record.relearning(name)] for name in ("A_f", "A_r"))
        control, seconds = record.batch_norm_only, record.seconds.get("total")
        made_with = {name: str(value) for name, value in record.made_with.items()}
        return StoredRun(
            key,
            record.config,
            # A network that answers one class to everything has not forgotten: it is broken.
            a_f=None if record.failure else a_f[0],
            a_r=a_r[0],
            highest=max(a_f[1:], default=None),
            batch_norm_only=None if control is None else float(control["A_f"]),
            failure=str(record.failure or ""),
            seconds=None if seconds is None else float(seconds),
            device=made_with.get("device", ""),
            made=made_with.get("made", ""),
            owner=made_with.get("owner", ""),
            shipped=shipped,
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def _is_known(config: RunConfig) -> bool:
    """Held to the rules of a link, so that every run of the table can be opened by one."""
    view = View(config.scenario, config.pick, config.pick)
    return view_from_query(view.query()) == (view, [])
