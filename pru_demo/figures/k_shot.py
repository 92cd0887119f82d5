"""What k images find of a class in a network's features: as figure, sentence and table."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pru_demo.config import RunConfig
from pru_demo.evaluation.knowledge import LEAST_ERROR, KShotAUC, alike, knowledge_left
from pru_demo.figures.naming import forgotten_images, is_par, pick_name, short_name, stroke_of
from pru_demo.figures.style import BARS, calm, explain_marker

_ROW = 34


@dataclass(frozen=True)
class Known:
    """A run and the k-shot AUC of its network right after unlearning, by k.

    ``shots_were_seen``: by images that methods were given to forget with.
    """

    config: RunConfig
    found: Mapping[int, KShotAUC]
    shots_were_seen: bool = False

    @classmethod
    def of(cls, config: RunConfig, attacks: Mapping[str, Any]) -> "Known":
        """From what a record has of its attacks, see ``experiment.attacked``."""
        found = {int(k): KShotAUC(**each) for k, each in attacks["k_shot_auc"].items()}
        return cls(config, found, attacks["shots_were_seen"])

    @property
    def method(self) -> str:
        return self.config.pick.method


def knowledge_figure(runs: Sequence[Known], k: int) -> go.Figure:
    """1 − AUC of each run on a logarithmic axis, the first at the top; bars are the deviation.

    Dashed is Retrain, dotted Original. At least one of the ``runs`` was attacked; the others are
    left out.
    """
    attacked = [run for run in runs if run.found[k].mean is not None]
    errors = [run.found[k].error for run in attacked]
    deviations = [run.found[k].deviation or 0.0 for run in attacked]
    # Logarithms on a linear axis, where lines and bars mean what they do everywhere.
    x = [math.log10(error) for error in errors]
    more = [math.log10(error + d) - at for error, d, at in zip(errors, deviations, x, strict=True)]
    less = [
        at - math.log10(max(error - d, LEAST_ERROR))
        for error, d, at in zip(errors, deviations, x, strict=True)
    ]
    low = math.floor(min(at - d for at, d in zip(x, less, strict=True)))
    high = min(0, math.ceil(max(at + d for at, d in zip(x, more, strict=True))))
    ticks = range(low, high + 1)
    figure = calm(
        height=120 + _ROW * len(attacked),
        x={
            "title": "1 − AUC (left: it knows)",
            "range": [low - 0.1, high + 0.05],
            "tickvals": list(ticks),
            "ticktext": [f"{10.0**each:g}" for each in ticks],
        },
        y={
            "autorange": "reversed",
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [short_name(run.config.pick) for run in attacked],
        },
    )
    for run, at in zip(attacked, x, strict=True):
        stroke = stroke_of(run.config.pick)
        if is_par(run.config.pick):
            line = {"color": stroke.color, "dash": stroke.dash, "width": 1.5}
            figure.add_vline(at, line=line, layer="below")
    figure.add_scatter(
        x=x,
        y=[short_name(run.config.pick) for run in attacked],
        error_x={**BARS, "array": more, "arrayminus": less},
        mode="markers",
        showlegend=False,
        marker={
            "size": 12,
            "symbol": [stroke_of(run.config.pick).symbol for run in attacked],
            "color": [stroke_of(run.config.pick).color for run in attacked],
        },
        customdata=[[run.found[k].mean, run.found[k].deviation] for run in attacked],
        hovertemplate="%{y}<br>AUC %{customdata[0]:.4f} ± %{customdata[1]:.4f}<extra></extra>",
    )
    explain_marker(figure, "line-ew-open", "± deviation over ten draws")
    return figure


def knowledge_finding(run: Known, k: int, original: Known | None, retrained: Known | None) -> str:
    """How much ``run`` still knows, in one sentence; "" for the references themselves."""
    if is_par(run.config.pick):
        return ""
    name, found = f"**{pick_name(run.config.pick)}**", run.found[k]
    if found.mean is None:
        return f"{name} was not attacked: {found.reason}."
    said = f"{name}: AUC {found.mean:.4f}"
    if retrained is None or retrained.found[k].mean is None:
        return f"{said}."
    if alike(found, retrained.found[k]):
        return f"{said}, **not distinguishable from Retrain**."
    if original is None:
        return f"{said}."
    left = knowledge_left(found, original.found[k], retrained.found[k])
    if left is None:
        return f"{said}."
    return f"{said}, **{_words(left, forgotten_images(run.config.scenario))}**."


def _words(left: float, images: str) -> str:
    if left >= 1:
        return "it knows as much as Original"
    if left < 0:
        return f"{images} are found less easily than in Retrain"
    return f"{100 * left:.0f} % of the knowledge is left"


def knowledge_table(runs: Sequence[Known]) -> pd.DataFrame:
    """One row per run and k: AUC, its deviation, and the share of knowledge left."""
    par = {run.method: run for run in runs if is_par(run.config.pick)}
    rows = []
    for run in runs:
        for k, found in run.found.items():
            ends = [par[end].found[k] for end in ("original", "retrain") if end in par]
            left = knowledge_left(found, *ends) if len(ends) == 2 else None
            rows.append(
                {
                    "run": pick_name(run.config.pick),
                    "k": k,
                    "AUC": found.mean,
                    "deviation": found.deviation,
                    "knowledge left": left,
                    "not attacked": found.reason,
                }
            )
    return pd.DataFrame(rows).round(5)
