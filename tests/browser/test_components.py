"""The components do in a real browser what their Python functions promise."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.browser

PAD_APP = """
import streamlit as st
from pru_demo.ui.components.draw_pad import draw_pad

if not st.toggle("Away"):
    image = draw_pad("pad", label="Draw a digit")
    st.text("Nothing drawn" if image is None else f"Ink {int(image.sum())} in {image.shape}")
if st.button("Rerun"):
    st.text("Reran")
"""

# Two samples of class 9 and two of class 0. The first 9 walks from left to right, is taken for a 0
# from frame 1 on, and is recognised again in frame 3.
MAP_APP = """
import numpy as np
import streamlit as st
from pru_demo.ui.components.map_player import Frame, Panel, map_player

xy = np.zeros((4, 4, 2))
xy[:, :, 1] = [0, 10, 20, 20]
xy[:, :, 0] = [0, 0, 0, 30]
xy[:, 0, 0] = [0, 10, 20, 30]
predicted = np.array([[1, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0]], np.uint8)
p_f = np.array([[1, 1, 0, 0], [0.25, 1, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0]])
moved = np.linspace(0, 1, 4)[:, None] * [1, 0, 0, 0]
images = np.zeros((4, 28, 28), np.uint8)
images[:, 10:18, 10:18] = 255
panels = [Panel(name, color, xy, predicted, p_f, moved)
          for name, color in (("Method A", "#0072b2"), ("Method B", "#d55e00"))]
frames = [Frame("Original", "original", "As it was trained."),
          Frame("Epoch 1", "unlearn", "The extractor moves."),
          Frame("Epoch 2", "unlearn", "The classifier follows."),
          Frame("Relearning epoch 1", "relearn", "New samples are shown.")]
map_player(panels, frames, true=np.array([1, 1, 0, 0]), class_names=["0", "9"], forgotten=[1],
           images=images, key="map")
if st.button("Rerun"):
    st.text("Reran")
"""

# How many pixels are painted, and a sum that changes with any of them.
READ_CANVAS = """canvas => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0, painted = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] === 0) continue;
    painted += 1;
    sum = (sum * 31 + i + data[i] * 7 + data[i + 1] * 11 + data[i + 2] * 13) % 1000000007;
  }
  return {sum, painted};
}"""


@pytest.fixture(scope="module")
def pad_address(browser: Any, serve: Callable[[str], str]) -> str:
    return serve(PAD_APP)


@pytest.fixture(scope="module")
def map_address(browser: Any, serve: Callable[[str], str]) -> str:
    return serve(MAP_APP)


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A fresh page of 1280×800; fails the test if anything is logged as an error."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(15_000)
    errors: list[str] = []
    page.on("console", lambda entry: errors.append(entry.text) if entry.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors


# ---- draw pad -------------------------------------------------------------------------------


def open_pad(page: Any, address: str) -> Any:
    page.goto(address)
    page.get_by_text("Nothing drawn").wait_for()
    return page.get_by_label("Draw a digit")


def draw_line(page: Any, sheet: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw with the mouse; places are fractions of the sheet's side."""
    box = sheet.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=8)
    page.mouse.up()


def ink(page: Any, other_than: int = 0) -> int:
    """The ink that Python counts, once it differs from ``other_than``."""
    page.wait_for_function(
        "other => { const found = document.body.innerText.match(/Ink (\\d+) in \\(84, 84\\)/);"
        " return found && Number(found[1]) !== other; }",
        arg=other_than,
    )
    return int(re.findall(r"Ink (\d+)", page.inner_text("body"))[0])


def test_a_stroke_of_the_mouse_reaches_python_as_ink(page: Any, pad_address: str) -> None:
    sheet = open_pad(page, pad_address)
    draw_line(page, sheet, (0.2, 0.5), (0.8, 0.5))
    # 0.6 + a round end, of 84 pixels, by a pen of about 2.2/28 of them.
    expected = (0.6 + 0.06) * 84 * 2.2 / 28 * 84 * 255
    assert ink(page) == pytest.approx(expected, rel=0.2)


def test_undo_and_clear_take_ink_away_and_undo_brings_it_back(page: Any, pad_address: str) -> None:
    sheet = open_pad(page, pad_address)
    draw_line(page, sheet, (0.2, 0.3), (0.8, 0.3))
    one = ink(page)
    draw_line(page, sheet, (0.2, 0.7), (0.8, 0.7))
    two = ink(page, other_than=one)
    assert two == pytest.approx(2 * one, rel=0.02)
    page.get_by_role("button", name="Undo").click()
    assert ink(page, other_than=two) == one
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Nothing drawn").wait_for()
    page.get_by_role("button", name="Undo").click()
    assert ink(page) == one


def test_the_keyboard_draws_undoes_and_clears(page: Any, pad_address: str) -> None:
    sheet = open_pad(page, pad_address)
    sheet.focus()
    for key in ("ArrowUp", "Space", *["ArrowRight"] * 6, "Space"):
        page.keyboard.press(key)
    first = ink(page)
    page.get_by_role("status").get_by_text("Stroke 1 drawn.").wait_for(state="attached")
    for key in ("ArrowDown", "Space", *["ArrowDown"] * 6, "Space"):
        page.keyboard.press(key)
    second = ink(page, other_than=first)
    assert second > 1.5 * first
    page.keyboard.press("Control+z")
    assert ink(page, other_than=second) == first
    page.keyboard.press("Delete")
    page.get_by_text("Nothing drawn").wait_for()


def test_a_tap_of_a_finger_leaves_a_dot(browser: Any, pad_address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    sheet = open_pad(page, pad_address)
    sheet.tap()
    assert ink(page) > 5 * 255
    context.close()


def test_the_drawing_survives_reruns_a_change_of_theme_and_an_absence(
    page: Any, pad_address: str
) -> None:
    sheet = open_pad(page, pad_address)
    draw_line(page, sheet, (0.2, 0.5), (0.8, 0.5))
    before = ink(page)
    page.get_by_role("button", name="Rerun").click()
    page.get_by_text("Reran").wait_for()
    assert ink(page) == before
    light = sheet.evaluate(READ_CANVAS)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "() => getComputedStyle(document.querySelector('.stApp')).colorScheme === 'dark'"
    )
    page.wait_for_timeout(300)
    dark = sheet.evaluate(READ_CANVAS)
    assert dark["painted"] == light["painted"] > 0
    assert dark["sum"] != light["sum"]
    away = page.get_by_text("Away")
    away.click()
    sheet.wait_for(state="detached")
    away.click()
    assert ink(page) == before


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_sheet_is_square_fits_the_page_and_the_buttons_fit_a_thumb(
    page: Any, pad_address: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    box = open_pad(page, pad_address).bounding_box()
    assert box["width"] == pytest.approx(box["height"], abs=1)
    assert 250 <= box["width"] <= 320
    assert box["x"] + box["width"] <= width
    assert page.get_by_role("button", name="Undo").bounding_box()["height"] >= 44


# ---- map player -----------------------------------------------------------------------------


def open_map(page: Any, address: str) -> Any:
    """Open the app and return the first panel's canvas, painted."""
    page.goto(address)
    canvas = page.get_by_role("img", name=re.compile("Map of Method A"))
    canvas.wait_for()
    page.wait_for_timeout(300)
    return canvas


def moment(page: Any) -> int:
    return int(page.get_by_label("Moment").input_value())


def wait_for_moment(page: Any, frame: int) -> None:
    slider = page.get_by_label("Moment").element_handle()
    page.wait_for_function("([slider, frame]) => slider.value === frame", arg=[slider, str(frame)])


def place_of_first_nine(canvas: Any, frame: int) -> dict[str, float]:
    """Where the walking 9 is at a frame, in CSS pixels; it keeps to the lower edge of the map."""
    box = canvas.bounding_box()
    scale = min((box["width"] - 30) / 30, (box["height"] - 30) / 20)
    left = (box["width"] - 30 * scale) / 2
    return {"x": left + 10 * frame * scale, "y": (box["height"] + 20 * scale) / 2}


def test_it_starts_paused_plays_and_pauses(page: Any, map_address: str) -> None:
    open_map(page, map_address)
    page.wait_for_timeout(1500)
    assert moment(page) == 0
    page.get_by_role("button", name="Play").click()
    wait_for_moment(page, 1)
    wait_for_moment(page, 3)
    page.get_by_role("button", name="Play").wait_for()  # it stops at the end
    page.get_by_role("button", name="Play").click()  # and starts anew from there
    wait_for_moment(page, 1)
    page.get_by_role("button", name="Pause").click()
    here = moment(page)
    page.wait_for_timeout(1500)
    assert moment(page) == here


def test_the_picture_moves_between_frames(page: Any, map_address: str) -> None:
    canvas = open_map(page, map_address)
    page.get_by_role("button", name="Play").click()
    pictures = set()
    for _ in range(8):
        page.wait_for_timeout(60)
        pictures.add(canvas.evaluate(READ_CANVAS)["sum"])
    assert len(pictures) > 4


def test_reduced_motion_jumps_from_frame_to_frame(page: Any, map_address: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    canvas = open_map(page, map_address)
    page.get_by_role("button", name="Play").click()
    pictures = set()
    while moment(page) < 3:
        pictures.add(canvas.evaluate(READ_CANVAS)["sum"])
        page.wait_for_timeout(60)
    assert 1 < len(pictures) <= 4


def test_scrubbing_changes_label_picture_and_counts(page: Any, map_address: str) -> None:
    canvas = open_map(page, map_address)
    before = canvas.evaluate(READ_CANVAS)
    slider = page.get_by_label("Moment")
    slider.fill("2")
    assert slider.get_attribute("aria-valuetext") == "Epoch 2"
    assert page.get_by_text("The classifier follows.").is_visible()
    assert page.get_by_text("“9” recognised: 1 of 2").count() == 2
    after = canvas.evaluate(READ_CANVAS)
    assert after["sum"] != before["sum"]
    slider.fill("0")
    assert canvas.evaluate(READ_CANVAS) == before


def test_keys_step_jump_and_play(page: Any, map_address: str) -> None:
    open_map(page, map_address)
    page.get_by_role("group", name=re.compile("^Maps")).focus()
    for key, frame in (("ArrowRight", 1), ("End", 3), ("ArrowLeft", 2), ("Home", 0)):
        page.keyboard.press(key)
        wait_for_moment(page, frame)
    spoken = page.get_by_role("status").filter(has_text="Original. As it was trained.")
    spoken.wait_for(state="attached")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Pause").wait_for()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Play").wait_for()


def test_pointing_at_a_sample_shows_its_label_path_and_belief(page: Any, map_address: str) -> None:
    canvas = open_map(page, map_address)
    page.get_by_label("Moment").fill("1")
    canvas.hover(position=place_of_first_nine(canvas, frame=1))
    assert page.get_by_text("True class: 9").is_visible()
    path = page.get_by_text("Method A: 9 → 0 (belief in “9”: 25 %)")
    assert path.is_visible()
    page.mouse.move(5, 5)
    assert path.is_hidden()


def test_a_pinned_sample_has_a_trail_in_both_panels_until_escape(
    page: Any, map_address: str
) -> None:
    canvas = open_map(page, map_address)
    other = page.get_by_role("img", name=re.compile("Map of Method B"))
    page.get_by_label("Moment").fill("3")
    before = [one.evaluate(READ_CANVAS)["painted"] for one in (canvas, other)]
    canvas.click(position=place_of_first_nine(canvas, frame=3))
    page.mouse.move(5, 5)
    pinned = [one.evaluate(READ_CANVAS)["painted"] for one in (canvas, other)]
    assert all(now > then + 500 for now, then in zip(pinned, before, strict=True))
    assert page.get_by_text("Method B: 9 → 0 ×2 → 9 (belief").first.is_visible()
    page.keyboard.press("Escape")
    assert [one.evaluate(READ_CANVAS)["painted"] for one in (canvas, other)] == before


def test_filters_keep_the_others_dimmed_and_count_what_is_left(page: Any, map_address: str) -> None:
    canvas = open_map(page, map_address)
    page.get_by_label("Moment").fill("3")
    everything = canvas.evaluate(READ_CANVAS)
    page.get_by_label("Highlight").select_option(label="Came back in relearning")
    assert page.get_by_text("“9” came back: 1 of 2").first.is_visible()
    filtered = canvas.evaluate(READ_CANVAS)
    assert filtered["painted"] == pytest.approx(everything["painted"], rel=0.1)
    assert filtered["sum"] != everything["sum"]
    page.get_by_label("Highlight").select_option(label="Moved away (over ½ class distance)")
    assert page.get_by_text("Moved away: 1 of 4").first.is_visible()


@pytest.mark.parametrize(
    "mode", ["Predicted class", "Belief in “9”", "Distance moved in feature space"]
)
def test_each_colouring_has_its_own_picture_and_legend(
    page: Any, map_address: str, mode: str
) -> None:
    canvas = open_map(page, map_address)
    page.get_by_label("Moment").fill("2")
    before = canvas.evaluate(READ_CANVAS)["sum"]
    page.get_by_label("Colour by").select_option(label=mode)
    assert page.locator("strong").get_by_text(mode).is_visible()
    assert canvas.evaluate(READ_CANVAS)["sum"] != before


def test_frame_colouring_and_filter_survive_a_rerun(page: Any, map_address: str) -> None:
    canvas = open_map(page, map_address)
    page.get_by_label("Moment").fill("2")
    page.get_by_label("Colour by").select_option("pf")
    page.get_by_label("Highlight").select_option("forgotten")
    before = canvas.evaluate(READ_CANVAS)
    page.get_by_role("button", name="Rerun").click()
    page.get_by_text("Reran").wait_for()
    assert moment(page) == 2
    assert page.get_by_label("Colour by").input_value() == "pf"
    assert page.get_by_label("Highlight").input_value() == "forgotten"
    assert canvas.evaluate(READ_CANVAS) == before


def test_on_a_phone_the_panels_stack_and_nothing_overflows(page: Any, map_address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    first = open_map(page, map_address).bounding_box()
    second = page.get_by_role("img", name=re.compile("Map of Method B")).bounding_box()
    assert second["y"] >= first["y"] + first["height"]
    assert first["x"] == second["x"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    beyond = "e => [...e.querySelectorAll('*')].some(o => o.getBoundingClientRect().right > 391)"
    assert not page.locator(".player").evaluate(beyond)
