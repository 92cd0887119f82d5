"""One colour per class and per method, everywhere the same.

Classes use the ten-colour sequence of Petroff (2021, "Accessible color sequences for data
visualization"); methods use Okabe–Ito *and* a fixed dash and marker, so that no finding needs
colour vision.
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


class Stroke(NamedTuple):
    """How a method is drawn: line colour, Plotly dash name, Plotly marker symbol."""

    color: str
    dash: str
    symbol: str


METHOD_STROKES: dict[str, Stroke] = {
    "original": Stroke("#8c8c8c", "dot", "circle"),
    "retrain": Stroke("#5a5a5a", "dash", "square"),
    "pru": Stroke("#0072b2", "solid", "circle"),
    "boundary_shrink": Stroke("#d55e00", "dashdot", "diamond"),
}


def class_color(index: int) -> str:
    """Colour of class ``index``; the sequence repeats after ten classes."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]
