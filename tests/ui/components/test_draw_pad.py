"""What the browser may send as a drawing, and what is refused."""

import base64
from pathlib import Path

import numpy as np
import pytest

from pru_demo.ui.components import draw_pad as module
from pru_demo.ui.components import read_component
from pru_demo.ui.components.draw_pad import SIDE, decode_drawing, draw_pad


def sent(pixels: bytes, strokes: object = 1) -> dict[str, object]:
    return {"strokes": strokes, "pixels": base64.b64encode(pixels).decode()}


def test_pixels_come_back_row_by_row() -> None:
    image = np.arange(SIDE * SIDE).reshape(SIDE, SIDE).astype(np.uint8)
    decoded = decode_drawing(sent(image.tobytes()))
    assert decoded is not None
    assert decoded.dtype == np.uint8
    assert np.array_equal(decoded, image)


@pytest.mark.parametrize("value", [None, sent(bytes(SIDE * SIDE), 0), sent(bytes(SIDE * SIDE), 3)])
def test_a_sheet_without_ink_is_none(value: object) -> None:
    assert decode_drawing(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "pixels",
        [],
        {},
        {"pixels": sent(bytes(SIDE * SIDE))["pixels"]},
        {**sent(bytes(SIDE * SIDE)), "path": "/etc/passwd"},
        sent(bytes(SIDE * SIDE - 1)),
        sent(bytes(SIDE * SIDE + 3)),
        sent(b""),
        sent(bytes(SIDE * SIDE), -1),
        sent(bytes(SIDE * SIDE), True),
        sent(bytes(SIDE * SIDE), 1.0),
        sent(bytes(SIDE * SIDE), 10**9),
        {"strokes": 1, "pixels": None},
        {"strokes": 1, "pixels": "*" * (SIDE * SIDE * 4 // 3)},
        {"strokes": 1, "pixels": "ä" * (SIDE * SIDE * 4 // 3)},
        {"strokes": 1, "pixels": "A" * (SIDE * SIDE * 4 // 3 - 4) + "AA=="},
    ],
)
def test_anything_else_is_refused_with_a_sentence(value: object) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        decode_drawing(value)


def test_a_forged_drawing_shows_as_an_empty_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forged:
        drawing = "no drawing"

    monkeypatch.setattr(module, "_PAD", lambda **_: Forged())
    assert draw_pad("pad", label="Draw a digit") is None


def test_helper_modules_are_joined_into_one_without_their_imports(tmp_path: Path) -> None:
    for name, text in {
        "component.html": "<p></p>",
        "component.css": "p {}",
        "ink.js": "export const PEN = 2;\nexport function dip() {}\n",
        "component.js": 'import {\n  PEN,\n  dip,\n} from "./ink.js";\nexport default () => PEN;\n',
    }.items():
        (tmp_path / name).write_text(text)
    assert read_component(tmp_path, ["ink.js"]) == {
        "html": "<p></p>",
        "css": "p {}",
        "js": "const PEN = 2;\nfunction dip() {}\n\nexport default () => PEN;\n",
    }
