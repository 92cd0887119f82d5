"""The numbers behind the page Inside, as tables."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pru_demo.figures.layers import Measured
from pru_demo.figures.membership import attack_of, obstacle_of
from pru_demo.figures.naming import pick_name

_LIKENESS = {"cka_to_original": "CKA to original", "cka_to_retrained": "CKA to Retrain"}
_ATTACK = {"accuracy": "accuracy", "auc": "AUC", "per_side": "images per side"}


def layer_table(runs: Sequence[Measured]) -> pd.DataFrame:
    """One row per run and layer, in network order; empty where a layer has no such number."""
    return pd.DataFrame([row for run in runs for row in _rows(run)])


def membership_table(runs: Sequence[Measured]) -> pd.DataFrame:
    """One row per run: the attack, and A_f on the very images that it was given to forget with.

    Where there could be no attack its numbers are empty and a last column says why.
    """
    return pd.DataFrame([_attack_row(run) for run in runs]).round(3)


def _attack_row(run: Measured) -> dict[str, Any]:
    attack = attack_of(run)
    row = {
        "run": pick_name(run.config.pick),
        **{title: attack and attack[key] for key, title in _ATTACK.items()},
        f"A_f on {run.config.scenario.given}, %": run.measures["forget_set"]["A_f"],
    }
    return row if attack else row | {"attack not computed": obstacle_of(run)}


def _rows(run: Measured) -> list[dict[str, Any]]:
    layers, rows = run.measures["layers"], dict[str, dict[str, Any]]()

    def put(found: Sequence[dict[str, Any]], columns: dict[str, str]) -> None:
        for name, layer in zip(run.names(found), found, strict=True):
            row = rows.setdefault(name, {"run": pick_name(run.config.pick), "layer": name})
            row |= {column: layer[key] for key, column in columns.items()}

    put(layers["blocks"], {"relative": "Δ"})
    put(layers["batch_norm"], {"mean": "mean shift, σ", "variance": "variance, |ln ratio|"})
    for key, title in _LIKENESS.items():
        columns = {"forgotten": f"{title}, forgotten images", "all": f"{title}, shown images"}
        put(layers[key] or [], columns)
    return list(rows.values())
