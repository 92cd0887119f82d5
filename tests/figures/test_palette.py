"""Every colour can be told from its paper, and every method from every other without colour."""

import tomllib

import pytest

from pru_demo.config import Pick
from pru_demo.figures.naming import stroke_of
from pru_demo.figures.palette import (
    CLASS_COLORS,
    METHOD_STROKES,
    NEW_METHOD,
    OUTLINE,
    contrast,
    label_color,
    luminance,
)
from pru_demo.figures.style import INK
from pru_demo.methods import METHODS
from pru_demo.paths import ROOT
from pru_demo.ui.shared.charts import DARK_INK

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
PAPERS = [THEME[name]["backgroundColor"] for name in ("light", "dark")]


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == 21
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_the_inks_of_figures_are_those_of_the_themes() -> None:
    assert [THEME[name]["textColor"] for name in ("light", "dark")] == [INK, DARK_INK]


def test_every_method_that_ships_has_a_stroke_and_a_new_one_is_drawn_too() -> None:
    assert METHOD_STROKES.keys() == METHODS.keys()
    assert stroke_of(Pick("nobody_drew_me", "default")) == NEW_METHOD
    assert NEW_METHOD not in METHOD_STROKES.values()


@pytest.mark.parametrize("paper", PAPERS)
def test_lines_and_outlines_can_be_seen_on_both_papers(paper: str) -> None:
    colors = [OUTLINE, *(stroke.color for stroke in METHOD_STROKES.values())]
    assert [color for color in colors if contrast(color, paper) < 3] == []


def test_no_two_methods_share_a_marker_or_a_colour_and_dash() -> None:
    strokes = METHOD_STROKES.values()
    assert len({stroke.symbol for stroke in strokes}) == len(strokes)
    assert len({(stroke.color, stroke.dash) for stroke in strokes}) == len(strokes)


def test_no_method_looks_like_a_published_value_or_a_control() -> None:
    assert not {"star", "circle-open"} & {stroke.symbol for stroke in METHOD_STROKES.values()}


def test_retrain_is_darker_than_the_original_and_dashed() -> None:
    original, retrain = METHOD_STROKES["original"], METHOD_STROKES["retrain"]
    assert luminance(retrain.color) < luminance(original.color)
    assert contrast(retrain.color, original.color) > 1.5
    assert retrain.dash == "dash"


def test_a_label_can_be_read_on_every_class_colour() -> None:
    assert [color for color in CLASS_COLORS if contrast(label_color(color), color) < 4.5] == []
