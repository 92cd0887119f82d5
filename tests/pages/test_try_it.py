"""Try it: whatever a visitor hands over, every network answers or one sentence says why not."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pru_demo.config import Pick, RunConfig
from pru_demo.data import read_part
from pru_demo.experiment.keys import weights_key
from pru_demo.experiment.record import KEPT_EPOCHS
from pru_demo.figures.naming import pick_name
from pru_demo.store import Entry, Store
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import (
    BUNDLED,
    NOT_BUNDLED,
    SHIPPED,
    drawing,
    figures,
    go,
    new_session,
    problems,
    texts,
)

pytestmark = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)

CONTROLS = ("Mask (control)", "Head only (control)")
A, B = pick_name(SHIPPED.a), pick_name(SHIPPED.b)


@pytest.fixture
def app(store: Store, engine: FakeEngine) -> AppTest:
    """The page as it opens."""
    return go(new_session(SHIPPED), "try_it")


def draw(app: AppTest) -> AppTest:
    app.session_state["pad"] = drawing()
    return app.run()


def choose(app: AppTest, way: str) -> AppTest:
    return app.segmented_control(key="way").set_value(way).run()


def upload(app: AppTest, data: bytes, mime: str = "image/png") -> AppTest:
    choose(app, "Upload")
    return app.file_uploader[0].upload("digit.png", data, mime).run()


def answers(app: AppTest) -> dict[str, str]:
    """The label that each network gives, as written on the page."""
    found = [m.value for m in app.markdown if m.value.startswith(("Original", A, B))]
    line = next(line for line in found if ": **" in line)
    parts = (part.rpartition(": ") for part in line.split("**, "))
    return {name: label.strip("*") for name, _, label in parts}


def png(picture: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", **options)
    return buffer.getvalue()


def photo_of_a_one() -> Image.Image:
    sheet = np.full((200, 200), 230, np.uint8)
    sheet[40:160, 94:106] = 20
    return Image.fromarray(sheet)


def forged_bomb() -> bytes:
    """A few kB that claim to be 13,000 × 13,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", 13_000, 13_000, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000), 9)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def animation() -> bytes:
    frames = [Image.new("L", (28, 28), shade) for shade in (0, 120, 255)]
    return png(frames[0], save_all=True, append_images=frames[1:])


def test_before_a_digit_is_given_the_page_says_what_to_do(app: AppTest) -> None:
    assert problems(app) == []
    assert "Draw a 9: the original network" in texts(app)
    assert figures(app) == []


def test_a_cleared_sheet_says_what_to_do_again(app: AppTest) -> None:
    draw(app)
    app.session_state["pad"] = drawing(ink=False)
    app.run()
    assert problems(app) == []
    assert "Draw a 9: the original network" in texts(app)
    assert figures(app) == []


def test_a_drawing_gets_a_label_from_every_network(app: AppTest) -> None:
    draw(app)
    assert problems(app) == []
    found = answers(app)
    assert set(found) == {"Original", "Retrain", *CONTROLS, A, B}
    assert set(found.values()) <= set("0123456789")
    assert found["Original"] == "1"  # an upright stroke
    assert len(figures(app)) >= 2


def test_the_slider_asks_the_relearned_networks(app: AppTest) -> None:
    draw(app)
    before = figures(app)[0]
    for epoch in KEPT_EPOCHS[1:]:
        app.select_slider(key="relearned").set_value(epoch).run()
        assert problems(app) == []
        assert set(answers(app)) == {
            "Original",
            "Retrain",
            *(f"{name}, relearned {epoch}" for name in CONTROLS),
            f"{A}, relearned {epoch}",
            f"{B}, relearned {epoch}",
        }
        now = figures(app)[0]
        assert now != before
        before = now


def test_the_answer_comes_from_the_weights_of_that_epoch(app: AppTest, store: Store) -> None:
    shipped = store.get(weights_key(SHIPPED.runs()["A"]))
    assert shipped is not None
    # After one epoch of relearning, A can say nothing but 4.
    arrays = dict(shipped.arrays)
    bias = next(n for n, a in arrays.items() if n.startswith("1/") and a.shape == (10,))
    arrays[bias] = np.where(np.arange(10) == 4, 1000, 0).astype(arrays[bias].dtype)
    changed = Entry(shipped.meta, arrays)
    store.put(weights_key(SHIPPED.runs()["A"]), changed.meta, changed.arrays)
    draw(app)
    assert answers(app)[A] != "4"
    app.select_slider(key="relearned").set_value(1).run()
    assert answers(app)[f"{A}, relearned 1"] == "4"
    assert answers(app)[f"{B}, relearned 1"] != "4"


def test_a_sample_of_the_test_set_is_asked_about(app: AppTest) -> None:
    choose(app, "Pick")
    assert problems(app) == []
    assert answers(app)["Original"] == "9"
    first = figures(app)[0]
    app.slider(key="pick.number").set_value(2).run()
    assert figures(app)[0] != first
    app.segmented_control(key="pick.class").set_value(0).run()
    assert answers(app)["Original"] == "0"


def test_the_last_sample_of_a_large_class_does_not_break_a_smaller_one(app: AppTest) -> None:
    choose(app, "Pick")
    app.segmented_control(key="pick.class").set_value(1).run()
    app.slider(key="pick.number").set_value(app.slider(key="pick.number").max).run()
    app.segmented_control(key="pick.class").set_value(5).run()
    assert problems(app) == []
    assert answers(app)["Original"] == "5"


def test_a_photo_gets_labels(app: AppTest) -> None:
    upload(app, png(photo_of_a_one()))
    assert problems(app) == []
    assert len(app.warning) == 0
    assert answers(app)["Original"] == "1"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "not a PNG"),
        (b"MZ\x90\x00" * 1000, "not a PNG"),
        (b"<svg onload=alert(1)>", "not a PNG"),
        (png(photo_of_a_one())[:300], "damaged or incomplete"),
        (png(photo_of_a_one()) + bytes(5 * 1024 * 1024), "larger than 5 MB"),
        (forged_bomb(), "too many pixels"),
        (animation(), "animated"),
        (png(Image.new("L", (300, 300), 255)), "one colour"),
        (png(Image.new("RGBA", (300, 300), (255, 255, 255, 0))), "one colour"),
    ],
    ids=[
        "empty",
        "garbage",
        "svg",
        "truncated",
        "huge",
        "bomb",
        "animated",
        "white",
        "transparent",
    ],
)
def test_a_bad_upload_gets_one_sentence_and_the_page_goes_on(
    app: AppTest, data: bytes, word: str
) -> None:
    upload(app, data)
    assert len(app.exception) == 0
    assert len(app.error) == 0
    (warning,) = app.warning
    assert word in warning.value
    assert figures(app) == []
    choose(app, "Pick")
    assert len(app.warning) == 0
    assert answers(app)["Original"] == "9"


@pytest.mark.parametrize("sent", ["pixels", {"drawing": "pixels"}, {"drawing": {"strokes": 1}}])
def test_a_forged_drawing_is_an_empty_sheet(app: AppTest, sent: object) -> None:
    app.session_state["pad"] = sent if isinstance(sent, dict) else {"drawing": [sent]}
    app.run()
    assert problems(app) == []
    assert figures(app) == []


def test_a_drawing_is_carried_to_the_map_and_left_there_until_it_is_taken_off(
    app: AppTest,
) -> None:
    draw(app)
    keep = next(button for button in app.button if button.label == "Drop it on the map")
    keep.click().run()
    go(app, "perception")
    assert problems(app) == []
    take = next(button for button in app.button if "off the map" in button.label)
    assert "your drawing" in take.label
    take.click().run()
    assert [button.label for button in app.button if "off the map" in button.label] == []


def test_a_drawing_has_a_place_wherever_its_network_is_kept(app: AppTest) -> None:
    from pru_demo.ui.shared.records import placed_of, record_of
    from pru_demo.ui.try_it.guest_image import Guest, guest_places

    run = SHIPPED.runs()["A"]
    record, placed = record_of(run), placed_of(run, "time")
    assert record is not None
    assert placed is not None
    images, _ = read_part("mnist", "test")
    # One of the shown samples itself: it must land where it is drawn already.
    sample = int(np.flatnonzero(record.arrays["labels"] == 9)[0])
    pixels = images[record.arrays["shown"][sample]][0]
    original = record_of(RunConfig(SHIPPED.scenario, Pick("original", "paper")))
    places = guest_places(Guest(pixels, "x", "mnist"), record, placed, "time", original)
    assert places is not None
    kept = [0, *record.kept().values()]
    np.testing.assert_allclose(places[kept], placed.xy[kept, sample].astype(float), atol=0.1)
    others = np.setdiff1d(np.arange(len(places)), kept)
    assert np.isnan(places[others]).all()
