"""What networks answer: to one image, and to all that were forgotten: where these go."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pru_demo.figures.palette import METHOD_STROKES, OUTLINE, class_color, label_color
from pru_demo.figures.style import INK, PERCENT_TICKS, calm, percent_axis

# Percent; narrower shares have no room for a label or an outline.
LEAST_LABELLED = 6
# Thinner flows than this would only print their labels over each other.
LEAST_SHARE = 0.02
OTHERS_COLOR = "#b8bec6"


def opinions_figure(
    opinions: Mapping[str, NDArray[np.floating]],
    class_names: Sequence[str],
    forget: Sequence[int],
    ink: str = INK,
) -> go.Figure:
    """One stacked bar per network: its probabilities (K,), shares labelled where there is room.

    ``ink`` is the theme's colour of text, in which the forgotten classes are outlined.
    """
    table = 100 * np.stack(list(opinions.values())[::-1])
    # In two lines a name leaves room for its bar on a phone.
    networks = [name.replace(" (", "<br>(") for name in opinions][::-1]
    figure = calm(
        height=114 + 52 * len(networks),
        x={"range": [0, 100.5], **PERCENT_TICKS, "tickangle": 0},
        y={"type": "category", "tickfont": {"size": 14}},
        # Above for the button that saves the image, right for half of "100 %".
        margin={"t": 32, "r": 24},
        barmode="stack",
        bargap=0.35,
        showlegend=False,
        # A long name that does not fit its share is left out, not printed small.
        uniformtext={"mode": "hide", "minsize": 12},
    )
    for c, name in enumerate(class_names):
        figure.add_bar(
            y=networks,
            x=table[:, c],
            name=str(name),
            orientation="h",
            text=[str(name) if share >= LEAST_LABELLED else "" for share in table[:, c]],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"size": 16, "color": label_color(class_color(c))},
            marker={
                "color": class_color(c),
                "line": {
                    "color": ink if c in forget else OUTLINE,
                    "width": (3 if c in forget else 1) * (table[:, c] >= LEAST_LABELLED),
                },
            },
            hovertemplate=f"class {name}: %{{x:.1f}} %<extra>%{{y}}</extra>",
        )
    return figure


def flow_figure(
    shares: NDArray[np.floating],
    class_names: Sequence[str],
    source: str,
    forget: Sequence[int],
    ink: str = INK,
) -> go.Figure:
    """Sankey diagram of the shares (K,) of forgotten test samples predicted as each class.

    ``ink`` is the theme's colour of text.
    """
    shown = [int(c) for c in np.argsort(-shares, kind="stable") if shares[c] >= LEAST_SHARE]
    targets = [
        (f"{class_names[c]}: {100 * shares[c]:.1f} %", 100 * float(shares[c]), class_color(c))
        for c in shown
    ]
    rest = 100 * float(shares.sum() - shares[shown].sum())
    if rest > 0:
        targets.append((f"others: {rest:.1f} %", rest, OTHERS_COLOR))
    labels, percent, colors = (list(column) for column in zip(*targets, strict=True))
    # Room above for the button that saves the image.
    figure = calm(height=330, margin={"t": 32, "b": 24})
    figure.add_sankey(
        node={
            "label": [f"true {source}", *labels],
            "color": [class_color(forget[0]), *colors],
            # One width for all: Plotly cannot place the labels of nodes with a list of widths.
            "line": {"color": OUTLINE, "width": 1},
            "pad": 22,
            "thickness": 18,
            "hovertemplate": "%{label}<extra></extra>",
        },
        # Labels lie on tinted flows: the theme's grey is too faint, and a halo would smear.
        textfont={"color": ink, "shadow": "none"},
        link={
            "source": [0] * len(targets),
            "target": list(range(1, len(targets) + 1)),
            "value": percent,
            "color": [_faint(color) for color in colors],
            "hovertemplate": "%{value:.1f} % of the samples<extra></extra>",
        },
    )
    return figure


def before_after_figure(
    before: NDArray[np.floating], after: NDArray[np.floating], class_names: Sequence[str]
) -> go.Figure:
    """Eq. 1–2 on one sample: probabilities p (K,) and redistributed p̃ (K,), side by side."""
    figure = calm(
        height=300,
        x={"type": "category", "title": "class"},
        y=percent_axis(""),
        barmode="group",
        bargap=0.25,
    )
    for values, name, color in (
        (before, "p: original", METHOD_STROKES["original"].color),
        (after, "p̃: redistributed", METHOD_STROKES["pru"].color),
    ):
        figure.add_bar(
            x=[str(c) for c in class_names],
            y=100 * values,
            name=name,
            marker={"color": color},
            hovertemplate="%{x}: %{y:.2f} %<extra>" + name + "</extra>",
        )
    return figure


def _faint(color: str) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.45)"
