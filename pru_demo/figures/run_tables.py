"""Runs as tables: how they were made, their curves, and what came back while they relearned."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from pru_demo.experiment.record import RunRecord
from pru_demo.figures.naming import pick_name
from pru_demo.figures.seeds import NO_SEEDS, Seeds, relearning_spread, with_range
from pru_demo.figures.style import TITLES
from pru_demo.methods import METHODS


def facts_table(records: Iterable[RunRecord]) -> pd.DataFrame:
    """One row per run: data seen while it forgot, cost, parameters and their origin, device."""
    return pd.DataFrame([_facts(record) for record in records])


def curves_table(records: Sequence[RunRecord]) -> pd.DataFrame:
    """One row per run and snapshot: A_f and A_r in percent over unlearning and relearning."""
    return pd.DataFrame(
        {**vars(s), "label": s.label, "run": pick_name(record.config.pick)}
        for record in records
        for s in record.snapshots
    ).drop(columns="losses")


def relearning_table(records: Iterable[RunRecord], seeds: Seeds = NO_SEEDS) -> pd.DataFrame:
    """A_f and A_r of each run in percent, one row per epoch of relearning; where it was run with
    several ``seeds`` also the mean and range of all."""
    columns: dict[str, pd.Series[Any]] = {}
    for record in records:
        pick = record.config.pick
        for accuracy in TITLES:
            name = f"{pick_name(pick)} · {accuracy}"
            columns[name] = pd.Series(record.relearning(accuracy)).round(2)
            if spread := relearning_spread(seeds, pick, accuracy):
                said = {epoch: with_range(each) for epoch, each in spread.items()}
                columns[f"{name}, all seeds"] = pd.Series(said)
    table = pd.DataFrame(columns)
    table.index.name = "epoch"
    return table


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
    if method in ("original", "mask"):
        return []
    if method == "retrain":
        return ["D_r"]
    return ["D_f", "D_r"] if METHODS[method].needs_retain else ["D_f"]
