"""Can an attacker tell which images a network was trained on? Every run on one line."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from pru_demo.figures.findings import percent
from pru_demo.figures.layers import Measured
from pru_demo.figures.naming import forgotten_images, pick_name, short_name, stroke_of
from pru_demo.figures.palette import OUTLINE
from pru_demo.figures.style import GREY, calm

KINDS = {"accuracy": "accuracy: how often a guess is right", "auc": "AUC: how well it ranks"}
# The 95 % quantile of a normal distribution, both sides.
_QUANTILE = 1.96
_ROW = 34


def chance_width(per_side: int) -> float:
    """By how much an AUC of ``per_side`` images a side is off 0.5 by chance in 19 cases of 20.

    Twice the deviation of Mann–Whitney's statistic where both sides are alike, √((2n + 1) / 12n²);
    for the accuracy it is a little less.
    """
    deviation: float = ((2 * per_side + 1) / (12 * per_side**2)) ** 0.5
    return _QUANTILE * deviation


def membership_figure(runs: Sequence[Measured]) -> go.Figure:
    """Accuracy (filled) and AUC (open) of the attack for each run, the first at the top.

    The band is what chance alone does; dashed is Retrain's AUC.
    """
    figure, found = go.Figure(), [_attack(run) for run in runs]
    width = chance_width(min(each["per_side"] for each in found))
    figure.add_vrect(0.5 - width, 0.5 + width, fillcolor=GREY, line_width=0, layer="below")
    if retrained := next((run for run in runs if run.method == "retrain"), None):
        line = {"color": stroke_of(retrained.config.pick).color, "dash": "dash", "width": 1.5}
        figure.add_vline(_attack(retrained)["auc"], line=line)
    for kind, symbol in (("accuracy", "circle"), ("auc", "circle-open")):
        figure.add_scatter(
            x=[each[kind] for each in found],
            y=[short_name(run.config.pick) for run in runs],
            mode="markers",
            showlegend=False,
            marker={
                "symbol": symbol,
                "size": [13 if run.letter else 10 for run in runs],
                "color": [stroke_of(run.config.pick).color for run in runs],
                "line": {"width": 2},
            },
            hovertemplate=f"%{{y}}<br>{kind} %{{x:.3f}}<extra></extra>",
        )
        figure.add_scatter(
            x=[None],
            y=[None],
            name=KINDS[kind],
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": OUTLINE, "line": {"width": 2}},
        )
    furthest = max(abs(each[kind] - 0.5) for each in found for kind in KINDS)
    half = min(0.52, max(0.1, 1.15 * furthest))
    figure.update_xaxes(title="0.5: it can only guess", range=[0.5 - half, 0.5 + half])
    figure.update_yaxes(autorange="reversed", type="category")
    return calm(figure, height=130 + _ROW * len(runs))


def membership_finding(run: Measured, retrained: Measured | None) -> str:
    """What the attack finds in ``run``, beside Retrain; "" for the references."""
    if run.is_reference:
        return ""
    found, images = _attack(run), forgotten_images(run.config.scenario)
    text = (
        f"**{pick_name(run.config.pick)}**: {percent(100 * found['accuracy'])} of the guesses "
        f"about the {images} are right"
    )
    if retrained is None:
        return f"{text}."
    reference = _attack(retrained)
    difference = abs(found["auc"] - reference["auc"])
    # Two AUCs, each with its own chance: their difference has √2 times as much.
    beyond = difference > 2**0.5 * chance_width(found["per_side"])
    verdict = "**more than chance explains**" if beyond else "no more than chance"
    return (
        f"{text} (Retrain: {percent(100 * reference['accuracy'])}); its AUC is {difference:.2f} "
        f"from Retrain's, {verdict}."
    )


def _attack(run: Measured) -> dict[str, Any]:
    attack: dict[str, Any] = run.measures["forget_set"]["membership"]
    return attack
