"""How the shown runs were made: the table behind the figures."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from pru_demo.experiment.record import RunRecord
from pru_demo.figures.naming import pick_name
from pru_demo.methods import METHODS

# Plain words for the columns whose names are the paper's.
FACTS_TERMS = (
    "**D_f**: the images to forget. **D_r**: those of the other classes that the original learned "
    "from. **D_r_new**: new images of the other classes, from which the network relearns. "
    "**Forward passes**: what unlearning cost, counted in passes of one image."
)


def facts_table(records: Iterable[RunRecord]) -> pd.DataFrame:
    """One row per run: data seen while it forgot, cost, parameters and their origin, device."""
    return pd.DataFrame([_facts(record) for record in records])


def snapshots_of(record: RunRecord) -> list[dict[str, Any]]:
    """The record's snapshots as a running job would report them."""
    return [{**vars(s), "label": s.label} for s in record.snapshots]


def _facts(record: RunRecord) -> dict[str, str | int | float]:
    seen = _seen(record.config.pick.method)
    return {
        "method": pick_name(record.config.pick),
        "sees": " and ".join(seen) or "nothing",
        "D_f images": record.sizes["forget"] if "D_f" in seen else 0,
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


def _seen(method: str) -> list[str]:
    """Which of the data a method is given to forget with."""
    if method == "original":
        return []
    if method == "retrain":
        return ["D_r"]
    return ["D_f", "D_r"] if METHODS[method].needs_retain else ["D_f"]
