"""How far unlearning moved each layer, and how much alike the layers still are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from pru_demo.config import RunConfig, variants_of
from pru_demo.evaluation.knowledge import KShotAUC
from pru_demo.figures.naming import is_reference, layer_names, pick_name, short_name, stroke_of
from pru_demo.figures.style import add_line, calm

# Kernels are stored in half precision: what moved less than this may not have moved at all.
ROUNDING = 3e-4
# Where such a layer is drawn on an axis that has no zero.
NONE = 1.5e-4

Drift = Literal["mean", "variance"]
ComparedTo = Literal["cka_to_original", "cka_to_retrained"]
Images = Literal["all", "forgotten"]

# What drift is drawn up to at least, so that next to nothing looks like it: 0.1 σ, a factor of 1.6.
_LEAST_DRIFT = {"mean": 0.1, "variance": 0.5}

# What the change of weights is drawn up to at least, as a power of ten; covering a class with a
# large bias moves the classifier further.
_CHANGE_TOP = 0.4

# Variants of a method share colour and dash: these are their markers, in the registry's order.
_MARKERS = ("", "-open", "-open-dot", "-dot")

_LIKENESS = {"cka_to_original": "CKA to original", "cka_to_retrained": "CKA to Retrain"}


@dataclass(frozen=True)
class Measured:
    """A run and what ``experiment.measures`` says of it.

    ``letter`` is "A" or "B" of the two that are compared and "" of all others, of which the visitor
    may have some ``pointed_out``.
    """

    config: RunConfig
    measures: Mapping[str, Any]
    letter: str
    pointed_out: bool = False

    @property
    def is_reference(self) -> bool:
        """Whether it is a yardstick, not a way to forget."""
        return is_reference(self.config.pick)

    @property
    def method(self) -> str:
        """``pru``."""
        return self.config.pick.method

    def names(self, measured: Sequence[Mapping[str, Any]]) -> list[str]:
        """Readable names of the layers in a list of the measures."""
        return layer_names([each["name"] for each in measured], self.config.scenario.model)


def change_figure(runs: Sequence[Measured]) -> go.Figure:
    """Δ of every layer (Eq. 6, Figure 3) for all ``runs``, the last on top.

    The original is left out: nothing of it moved. Logarithmic, because methods differ by factors
    of a hundred; a layer that did not move has a place of its own below.
    """
    y = {
        "type": "log",
        "tickvals": [NONE, 1e-3, 1e-2, 1e-1, 1],
        "ticktext": ["none", "0.1 %", "1 %", "10 %", "100 %"],
        "title": "change of the weights, Δ",
    }
    figure, top = calm(height=360, y=y), _CHANGE_TOP
    for run in runs:
        if run.method == "original" and not run.letter:
            continue
        blocks = run.measures["layers"]["blocks"]
        relative = _numbers([block["relative"] for block in blocks])
        shown = ["not at all" if r < ROUNDING else f"{100 * r:.2g} %" for r in relative]
        drawn = np.where(relative < ROUNDING, NONE, relative)
        _add_line(figure, run, run.names(blocks), drawn, shown, "moved by")
        top = max(top, np.log10(np.nanmax(drawn, initial=NONE)) + 0.1)
    return figure.update_yaxes(range=[np.log10(NONE) - 0.1, top])


def drift_figure(runs: Sequence[Measured], of: Drift) -> go.Figure:
    """How far BatchNorm's running means or variances moved, for all ``runs`` but the references.

    Means in standard deviations, variances as the factor between before and after.
    """
    figure, highest = calm(height=300), _LEAST_DRIFT[of]
    for run in runs:
        if run.is_reference:
            continue
        norms = run.measures["layers"]["batch_norm"]
        values = _numbers([norm[of] for norm in norms])
        shown = [f"{v:.2f} σ" if of == "mean" else f"×{np.exp(v):.2f}" for v in values]
        _add_line(figure, run, run.names(norms), values, shown, "drifted by")
        highest = max(highest, float(np.nanmax(values, initial=0)))
    top = 1.08 * highest
    figure.update_yaxes(range=[-0.04 * top, top])
    if of == "mean":
        return figure.update_yaxes(title="shift of the means, in σ")
    factors = [f for f in (1, 1.5, 2, 3, 5, 10, 30, 100, 1000) if np.log(f) <= top]
    return figure.update_yaxes(
        title="change of the variances",
        tickvals=[np.log(f) for f in factors],
        ticktext=[f"×{f:g}" for f in factors],
    )


def likeness_figure(runs: Sequence[Measured], to: ComparedTo, images: Images) -> go.Figure:
    """CKA of every layer's output to the original's or to Retrain's, on all shown images or on the
    forgotten ones among them.

    The network that is compared to is left out: it is like itself.
    """
    itself = {"cka_to_original": "original", "cka_to_retrained": "retrain"}
    y = {"range": [-0.03, 1.03], "dtick": 0.25, "title": "likeness (CKA)"}
    figure = calm(height=320, y=y)
    for run in runs:
        likeness = run.measures["layers"][to]
        if likeness is None or run.method == itself[to]:
            continue
        layers = distinct(likeness)
        values = _numbers([layer[images] for layer in layers])
        shown = [f"{value:.2f}" for value in values]
        _add_line(figure, run, run.names(layers), values, shown, "likeness")
    return figure


def knowledge_by_layer_figure(runs: Sequence[Measured]) -> go.Figure:
    """1 − AUC of the k-shot attack on every layer's output, upside down: what is higher knows more.

    Of those ``runs`` that were measured so.
    """
    y = {"type": "log", "autorange": "reversed", "dtick": 1, "exponentformat": "none"}
    figure = calm(height=340, y={**y, "title": "1 − AUC (up: it knows)"})
    for run in runs:
        if layers := known_layers(run):
            errors = [None if each.mean is None else each.error for each in layers.values()]
            shown = ["" if each.mean is None else f"{each.mean:.4f}" for each in layers.values()]
            _add_line(figure, run, list(layers), _numbers(errors), shown, "AUC")
    return figure


def known_layers(run: Measured) -> dict[str, KShotAUC]:
    """The k-shot AUC of every layer of ``run``, by its readable name; {} of an older measurement.

    Features that are the last block's output once more are left out.
    """
    layers = list(run.measures["layers"].get("k_shot_auc", ()))
    if layers and _same(layers[-3]["mean"], layers[-2]["mean"]):
        del layers[-2]
    found = [KShotAUC(each["mean"], each["deviation"], each.get("reason", "")) for each in layers]
    return dict(zip(run.names(layers), found, strict=True))


def _same(one: float | None, other: float | None) -> bool:
    """Whether two averages of the same maps, taken in another order, say the same."""
    return one == other if one is None or other is None else abs(one - other) < 1e-6


def distinct(layers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """All layers but the features where these are the last block's output, averaged, once more."""
    *blocks, features, classifier = layers
    same = all(
        one is not None and other is not None and abs(one - other) < 1e-3
        for one, other in ((blocks[-1][i], features[i]) for i in ("all", "forgotten"))
    )
    return [*blocks, *([] if same else [features]), classifier]


def layer_table(runs: Sequence[Measured]) -> pd.DataFrame:
    """One row per run and layer, in network order; empty where a layer has no such number."""
    return pd.DataFrame([row for run in runs for row in _rows(run)])


def _add_line(
    figure: go.Figure,
    run: Measured,
    names: Sequence[str],
    values: NDArray[np.float64],
    shown: Sequence[str],
    verb: str,
) -> None:
    stands_out = bool(run.letter) or run.is_reference or run.pointed_out
    add_line(
        figure,
        run.config.pick,
        list(names),
        values,
        f"{short_name(run.config.pick)}<br>%{{x}}: {verb} %{{customdata}}",
        width=3 if run.letter else 2 if stands_out else 1.5,
        marker=9 if run.letter else 7,
        symbol=_symbol(run),
        opacity=1 if stands_out else 0.6,
        # A phone has no room for a dozen names; all others say theirs when pointed at.
        showlegend=stands_out,
        # A, B and the yardsticks first, however many others there are.
        legendrank={"A": 1, "B": 2}.get(run.letter, 3 if run.is_reference else 4),
        customdata=shown,
    )


def _symbol(run: Measured) -> str:
    scenario, pick = run.config.scenario, run.config.pick
    if pick.changes:
        return stroke_of(pick).symbol
    place = variants_of(pick.method, scenario).index(pick.variant)
    own = stroke_of(pick).symbol
    shape = own.removesuffix("-open")
    # A method whose marker is open anyway has the filled one second.
    markers = _MARKERS if shape == own else ("-open", "", *_MARKERS[2:])
    return shape + markers[place % len(markers)]


def _numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    """None, where there is no number, becomes a gap in the line."""
    return np.array([np.nan if value is None else value for value in values])


def _rows(run: Measured) -> list[dict[str, Any]]:
    layers, rows = run.measures["layers"], dict[str, dict[str, Any]]()

    def put(measured: Sequence[Mapping[str, Any]], columns: dict[str, str]) -> None:
        for name, layer in zip(run.names(measured), measured, strict=True):
            row = rows.setdefault(name, {"run": pick_name(run.config.pick), "layer": name})
            row |= {column: layer[key] for key, column in columns.items()}

    put(layers.get("k_shot_auc", ()), {"mean": "5-shot AUC"})
    put(layers["blocks"], {"relative": "Δ"})
    put(layers["batch_norm"], {"mean": "mean shift, σ", "variance": "variance, |ln ratio|"})
    for key, title in _LIKENESS.items():
        columns = {"forgotten": f"{title}, forgotten images", "all": f"{title}, shown images"}
        put(layers[key] or [], columns)
    return list(rows.values())
