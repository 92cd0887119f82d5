"""How the shown runs were made: the table behind the figures."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from pru_demo.figures.naming import pick_name
from pru_demo.runs.record import RunRecord
from pru_demo.unlearning import METHODS


def facts_table(records: Iterable[RunRecord]) -> pd.DataFrame:
    """One row per run: data seen, cost, parameters and their origin, device."""
    return pd.DataFrame([_facts(record) for record in records])


def snapshots_of(record: RunRecord) -> list[dict[str, Any]]:
    """The record's snapshots as a running job would report them."""
    return [{**vars(s), "label": s.label} for s in record.snapshots]


def _facts(record: RunRecord) -> dict[str, str | int | float]:
    sees_retain = METHODS[record.config.pick.method].needs_retain
    return {
        "method": pick_name(record.config.pick),
        "sees": "D_r" if sees_retain else "D_f" if record.forward_equivalents else "nothing",
        "D_f images": record.sizes["forget"],
        "D_r_new images": record.sizes["relearn"],
        "test images": record.sizes["test"],
        "unlearning, s": round(record.seconds["unlearn"], 1),
        "relearning, s": round(record.seconds.get("relearn", 0.0), 1),
        "forward passes": record.forward_equivalents,
        "parameters": ", ".join(f"{k}={v}" for k, v in record.params.items()),
        "from": record.origin,
        "device": record.made_with["device"],
        "made": record.made_with["made"],
        "state": record.failure or "fine",
    }
