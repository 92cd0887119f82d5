"""Can an attacker tell which images a network was trained on? As figure, sentence and table."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pru_demo.figures.findings import percent
from pru_demo.figures.layers import Measured
from pru_demo.figures.naming import forgotten_images, listed, pick_name, short_name, stroke_of
from pru_demo.figures.style import GREY, calm, explain_marker

KINDS = {"accuracy": "accuracy: how often a guess is right", "auc": "AUC: how well it ranks"}
# The 95 % quantile of a normal distribution, both sides.
_QUANTILE = 1.96
_ROW = 34
_COLUMNS = {"accuracy": "accuracy", "auc": "AUC", "per_side": "images per side"}


def chance_width(per_side: int) -> float:
    """By how much an AUC of ``per_side`` images a side is off 0.5 by chance in 19 cases of 20.

    Twice the deviation of Mann–Whitney's statistic where both sides are alike, √((2n + 1) / 12n²);
    for the accuracy it is a little less.
    """
    deviation: float = ((2 * per_side + 1) / (12 * per_side**2)) ** 0.5
    return _QUANTILE * deviation


def membership_figure(runs: Sequence[Measured]) -> go.Figure:
    """Accuracy (filled) and AUC (open) of the attack for each run, the first at the top.

    The band is what chance alone does; dashed is Retrain's AUC. At least one of the ``runs`` has
    been attacked; those that could not be have "not computed" on their line.
    """
    attacked = [(run, attack) for run in runs if (attack := attack_of(run))]
    furthest = max(abs(attack[kind] - 0.5) for _, attack in attacked for kind in KINDS)
    half = min(0.52, max(0.1, 1.15 * furthest))
    figure = calm(
        height=130 + _ROW * len(runs),
        x={"title": "0.5: it can only guess", "range": [0.5 - half, 0.5 + half]},
        y={
            "autorange": "reversed",
            "type": "category",
            # Traces would put those without an attack last.
            "categoryorder": "array",
            "categoryarray": [short_name(run.config.pick) for run in runs],
        },
    )
    width = chance_width(min(attack["per_side"] for _, attack in attacked))
    figure.add_vrect(0.5 - width, 0.5 + width, fillcolor=GREY, line_width=0, layer="below")
    for run, attack in attacked:
        if run.method == "retrain":
            line = {"color": stroke_of(run.config.pick).color, "dash": "dash", "width": 1.5}
            figure.add_vline(attack["auc"], line=line)
    for kind, symbol in (("accuracy", "circle"), ("auc", "circle-open")):
        figure.add_scatter(
            x=[attack[kind] for _, attack in attacked],
            y=[short_name(run.config.pick) for run, _ in attacked],
            mode="markers",
            showlegend=False,
            marker={
                "symbol": symbol,
                "size": [13 if run.letter else 10 for run, _ in attacked],
                "color": [stroke_of(run.config.pick).color for run, _ in attacked],
                "line": {"width": 2},
            },
            hovertemplate=f"%{{y}}<br>{kind} %{{x:.3f}}<extra></extra>",
        )
        explain_marker(figure, symbol, KINDS[kind])
    if left_out := [run for run in runs if attack_of(run) is None]:
        figure.add_scatter(
            x=[0.5] * len(left_out),
            y=[short_name(run.config.pick) for run in left_out],
            mode="text",
            text=["not computed"] * len(left_out),
            showlegend=False,
            customdata=[obstacle_of(run) for run in left_out],
            hovertemplate="%{y}<br>not computed: %{customdata}<extra></extra>",
        )
    return figure


def membership_finding(run: Measured, retrained: Measured | None) -> str:
    """What the attack finds in ``run``, beside Retrain; "" for the references and without one."""
    attack, images = attack_of(run), forgotten_images(run.config.scenario)
    if run.is_reference or attack is None:
        return ""
    text = (
        f"**{pick_name(run.config.pick)}**: {percent(100 * attack['accuracy'])} of the guesses "
        f"about the {images} are right"
    )
    reference = None if retrained is None else attack_of(retrained)
    if reference is None:
        return f"{text}."
    difference = abs(attack["auc"] - reference["auc"])
    # Two AUCs, each with its own chance: their difference has √2 times as much.
    beyond = difference > 2**0.5 * chance_width(attack["per_side"])
    verdict = "**more than chance explains**" if beyond else "no more than chance"
    return (
        f"{text} (Retrain: {percent(100 * reference['accuracy'])}); its AUC is {difference:.2f} "
        f"from Retrain's, {verdict}."
    )


def obstacle_finding(runs: Sequence[Measured]) -> str:
    """Which of the ``runs`` could not be attacked, and why; "" if all were."""
    names: dict[str, list[str]] = {}
    for run in runs:
        if attack_of(run) is None:
            names.setdefault(obstacle_of(run), []).append(f"**{pick_name(run.config.pick)}**")
    return " ".join(f"Not computed for {listed(who)}: {why}." for why, who in names.items())


def membership_table(runs: Sequence[Measured]) -> pd.DataFrame:
    """One row per run: the attack, and A_f on the very images that it was given to forget with.

    Where there could be no attack its numbers are empty and a last column says why.
    """
    return pd.DataFrame([_attack_row(run) for run in runs]).round(3)


def _attack_row(run: Measured) -> dict[str, Any]:
    attack = attack_of(run)
    row = {
        "run": pick_name(run.config.pick),
        **{title: attack and attack[key] for key, title in _COLUMNS.items()},
        f"A_f on {run.config.scenario.given}, %": run.measures["forget_set"]["A_f"],
    }
    return row if attack else row | {"attack not computed": obstacle_of(run)}


def attack_of(run: Measured) -> dict[str, Any] | None:
    """Its accuracy, AUC and images per side; None: there could be no attack."""
    attack: dict[str, Any] | None = run.measures["forget_set"]["membership"]
    return attack


def obstacle_of(run: Measured) -> str:
    """Why there could be no attack, as the end of a sentence."""
    reason: str = run.measures["forget_set"]["no_membership"]
    return reason
