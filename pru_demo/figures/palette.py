"""One colour per class and per method, everywhere the same.

Classes use the ten-colour sequence of Petroff (2021, "Accessible color sequences for data
visualization"); methods use the hues of Okabe–Ito *and* a fixed dash and marker, so that no
finding needs colour vision. Orange, sky blue and yellow are darker than Okabe and Ito have them,
so that every line has a contrast of 3:1 against white and against the dark theme alike.

Some class colours are too pale for white (9, 1) or too deep for the dark theme (4, 2); whatever is
filled with them has an ``OUTLINE``, which has that contrast on both.
"""

from typing import NamedTuple

CLASS_COLORS: tuple[str, ...] = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)

# 3.6:1 against white, 5.0:1 against the dark theme.
OUTLINE = "#7d8794"


class Stroke(NamedTuple):
    """How a method is drawn: line colour, Plotly dash name, Plotly marker symbol."""

    color: str
    dash: str
    symbol: str


# Stars are published values and open circles are controls, so no method has them.
METHOD_STROKES: dict[str, Stroke] = {
    "original": Stroke("#949494", "dot", "cross"),
    "retrain": Stroke("#6a6a6a", "dash", "square"),
    "pru": Stroke("#0072b2", "solid", "circle"),
    "boundary_shrink": Stroke("#d55e00", "dashdot", "diamond"),
    "boundary_expanding": Stroke("#c48600", "dashdot", "diamond-open"),
    "delete": Stroke("#009e73", "solid", "triangle-up"),
    "unroll_of": Stroke("#cc79a7", "longdash", "pentagon"),
    "random_label": Stroke("#3498d4", "longdash", "x"),
    "negative_gradient": Stroke("#9c9300", "longdash", "triangle-down"),
    "salun": Stroke("#3498d4", "longdashdot", "hourglass"),
    "unroll": Stroke("#cc79a7", "dot", "pentagon-open"),
    "scrub": Stroke("#009e73", "dot", "triangle-up-open"),
    "spotter": Stroke("#c48600", "solid", "star-diamond"),
    # Controls are grey and open, and drawn thin.
    "mask": Stroke(OUTLINE, "solid", "square-open"),
    "head_only": Stroke(OUTLINE, "dash", "hexagon-open"),
}
# What a method has until it gets a line above.
NEW_METHOD = Stroke(OUTLINE, "longdashdot", "hexagon")
# What was turned by hand keeps its method's colour and has a dash and a crossed marker of these, so
# that two such runs of one method can be told apart.
TURNED_DASHES = ("dot", "dash", "longdash", "dashdot", "longdashdot")
TURNED_SYMBOLS = tuple(
    f"{shape}-{sign}-open" for shape in ("circle", "square", "diamond") for sign in ("x", "cross")
)


def class_color(index: int) -> str:
    """Colour of class ``index``; the sequence repeats after ten classes."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]


def label_color(fill: str) -> str:
    """Black or white, whichever is easier to read on ``fill``: always 4.5:1 or more."""
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, fill))


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours ``#rrggbb``, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    """WCAG's relative luminance of ``#rrggbb``, from 0 (black) to 1 (white)."""
    parts = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
