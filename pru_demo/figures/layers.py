"""What a student calls the layers: ``conv 3``, ``block 2.1``, ``layer 4``, not ``extractor.2``.

How far unlearning moved each layer, and how much alike the layers still are.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pru_demo.config import RunConfig, variants_of
from pru_demo.figures.naming import short_name, stroke_of
from pru_demo.figures.style import calm

# Modules as torch and torchvision call them → what is written under a figure.
_WORDS: tuple[tuple[str, str], ...] = (
    (r"layer(\d+)\.(\d+)(?:\.bn(\d+))?", "block"),
    (r"layer(\d+)\.(\d+)\.downsample(?:\.\d+)?", "shortcut"),
    (r"encoder\.layers\.encoder_layer_(\d+)", "layer"),
    (r"encoder\.ln", "last norm"),
    (r"conv_proj", "patches"),
    (r"conv1|bn1", "stem"),
)


def layer_names(modules: Iterable[str], model: str) -> list[str]:
    """Readable names of blocks or BatchNorm layers, given by their paths in network order.

    The paper counts AllCNN's convolutions, each with its BatchNorm, from 1. A module of a network
    that nobody thought of here keeps its own name.
    """
    if model.startswith("allcnn"):
        # Every extractor block of an AllCNN is a convolution, whatever it is nested in.
        numbers = iter(range(1, 100))
        return [f"conv {next(numbers)}" if _inside(m) else m for m in modules]
    return [_readable(module) for module in modules]


def _inside(module: str) -> bool:
    return module.startswith("extractor.")


def _readable(module: str) -> str:
    # A network that normalises its input is nested one deeper.
    name = re.sub(r"^extractor\.(?:\d+\.(?=[a-z]))?", "", module)
    for pattern, word in _WORDS:
        if found := re.fullmatch(pattern, name):
            numbers = found.groups()
            if word == "layer":
                return f"layer {int(numbers[0]) + 1}"
            if word in ("block", "shortcut"):
                place = f"block {numbers[0]}.{int(numbers[1]) + 1}"
                if word == "shortcut":
                    return f"{place}, shortcut"
                return f"{place}, norm {numbers[2]}" if numbers[2] else place
            return word
    return name


# Kernels are stored in half precision: what moved less than this may not have moved at all.
ROUNDING = 3e-4
# Where such a layer is drawn on an axis that has no zero.
NONE = 1.5e-4

Drift = Literal["mean", "variance"]
Reference = Literal["cka_to_original", "cka_to_retrained"]
Images = Literal["all", "forgotten"]

# What drift is drawn up to at least, so that next to nothing looks like it: 0.1 σ, a factor of 1.6.
_LEAST_DRIFT = {"mean": 0.1, "variance": 0.5}

# Variants of a method share colour and dash: these are their markers, in the registry's order.
_MARKERS = ("", "-open", "-open-dot", "-dot")


@dataclass(frozen=True)
class Measured:
    """A run and what ``runs.measures`` says of it.

    ``letter`` is "A" or "B" of the two that are compared and "" of all others, of which the visitor
    may have some ``pointed_out``.
    """

    config: RunConfig
    measures: Mapping[str, Any]
    letter: str
    pointed_out: bool = False

    @property
    def is_reference(self) -> bool:
        """A yardstick: it never met the class, or never forgot it."""
        return self.method in ("original", "retrain")

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
    figure = go.Figure()
    for run in runs:
        if run.method == "original" and not run.letter:
            continue
        blocks = run.measures["layers"]["blocks"]
        relative = _numbers([block["relative"] for block in blocks])
        shown = ["not at all" if r < ROUNDING else f"{100 * r:.2g} %" for r in relative]
        drawn = np.where(relative < ROUNDING, NONE, relative)
        _add_line(figure, run, run.names(blocks), drawn, shown, "moved by")
    figure.update_yaxes(
        type="log",
        range=[np.log10(NONE) - 0.1, 0.4],
        tickvals=[NONE, 1e-3, 1e-2, 1e-1, 1],
        ticktext=["none", "0.1 %", "1 %", "10 %", "100 %"],
        title="change of the weights, Δ",
    )
    return calm(figure, height=360)


def drift_figure(runs: Sequence[Measured], of: Drift) -> go.Figure:
    """How far BatchNorm's running means or variances moved, for all ``runs`` but the references.

    Means in standard deviations, variances as the factor between before and after.
    """
    figure, highest = go.Figure(), _LEAST_DRIFT[of]
    for run in runs:
        if run.is_reference:
            continue
        norms = run.measures["layers"]["batch_norm"]
        values = _numbers([norm[of] for norm in norms])
        shown = [f"{v:.2f} σ" if of == "mean" else f"×{np.exp(v):.2f}" for v in values]
        _add_line(figure, run, run.names(norms), values, shown, "drifted by")
        highest = max(highest, float(np.nanmax(values, initial=0)))
    top = 1.08 * highest
    if of == "mean":
        figure.update_yaxes(title="shift of the means, in σ")
    else:
        factors = [f for f in (1, 1.5, 2, 3, 5, 10, 30, 100, 1000) if np.log(f) <= top]
        figure.update_yaxes(
            title="change of the variances",
            tickvals=[np.log(f) for f in factors],
            ticktext=[f"×{f:g}" for f in factors],
        )
    figure.update_yaxes(range=[-0.04 * top, top])
    return calm(figure, height=300)


def likeness_figure(runs: Sequence[Measured], to: Reference, images: Images) -> go.Figure:
    """CKA of every layer's output to the original's or to Retrain's, on all shown images or on the
    forgotten ones among them.

    The network that is compared to is left out: it is like itself.
    """
    figure, itself = go.Figure(), {"cka_to_original": "original", "cka_to_retrained": "retrain"}
    for run in runs:
        found = run.measures["layers"][to]
        if found is None or run.method == itself[to]:
            continue
        layers = distinct(found)
        values = _numbers([layer[images] for layer in layers])
        shown = [f"{value:.2f}" for value in values]
        _add_line(figure, run, run.names(layers), values, shown, "likeness")
    figure.update_yaxes(range=[-0.03, 1.03], dtick=0.25, title="likeness (CKA)")
    return calm(figure, height=320)


def distinct(layers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """All layers but the features where these are the last block's output, averaged, once more."""
    *blocks, features, classifier = layers
    same = all(
        one is not None and other is not None and abs(one - other) < 1e-3
        for one, other in ((blocks[-1][i], features[i]) for i in ("all", "forgotten"))
    )
    return [*blocks, *([] if same else [features]), classifier]


def _add_line(
    figure: go.Figure,
    run: Measured,
    names: Sequence[str],
    values: NDArray[np.float64],
    shown: Sequence[str],
    verb: str,
) -> None:
    name, stroke = short_name(run.config.pick), stroke_of(run.config.pick)
    stands_out = bool(run.letter) or run.is_reference or run.pointed_out
    figure.add_scatter(
        x=list(names),
        y=values,
        name=name,
        mode="lines+markers",
        line={
            "color": stroke.color,
            "dash": stroke.dash,
            "width": 3 if run.letter else 2 if stands_out else 1.5,
        },
        marker={"symbol": _symbol(run), "size": 9 if run.letter else 7},
        opacity=1 if stands_out else 0.6,
        # A phone has no room for a dozen names; all others say theirs when pointed at.
        showlegend=stands_out,
        # A, B and the yardsticks first, however many others there are.
        legendrank={"A": 1, "B": 2}.get(run.letter, 3 if run.is_reference else 4),
        customdata=shown,
        hovertemplate=f"{name}<br>%{{x}}: {verb} %{{customdata}}<extra></extra>",
    )


def _symbol(run: Measured) -> str:
    scenario, pick = run.config.scenario, run.config.pick
    place = variants_of(pick.method, scenario).index(pick.variant)
    own = stroke_of(pick).symbol
    shape = own.removesuffix("-open")
    # A method whose marker is open anyway has the filled one second.
    markers = _MARKERS if shape == own else ("-open", "", *_MARKERS[2:])
    return shape + markers[place % len(markers)]


def _numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    """None, where there is no number, becomes a gap in the line."""
    return np.array([np.nan if value is None else value for value in values])
