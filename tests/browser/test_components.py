"""The components do in a real browser what their Python functions promise."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

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

# Two samples of class 9, one of class 0 and one of class 4. The first 9 walks along the lower edge
# from left to right, is taken for a 0 from frame 1 on, and is recognised again in frame 3. Method A
# has a guest above it, whose place in frame 2 was not computed.
MAP_APP = """
import numpy as np
import streamlit as st
from pru_demo.figures.film import Frame, Panel
from pru_demo.ui.components.map_player import map_player
from pru_demo.ui.components.map_player.movie import Movie

xy = np.zeros((4, 4, 2))
xy[:, :, 1] = [0, 10, 20, 20]
xy[:, :, 0] = [0, 0, 0, 30]
xy[:, 0, 0] = [0, 10, 20, 30]
top = np.tile(np.array([[1, 2, 0], [1, 0, 2], [0, 1, 2], [2, 1, 0]], np.uint8), (4, 1, 1))
p_top = np.tile([1.0, 0.0, 0.0], (4, 4, 1))
top[1, 0], p_top[1, 0] = (0, 1, 2), (0.704, 0.246, 0.05)
top[2, 0] = top[3, 3] = (0, 1, 2)
p_f = np.array([[1, 1, 0, 0], [0.246, 1, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0]])
moved = np.linspace(0, 0.6, 4)[:, None] * [1, 0, 0, 0]
images = np.zeros((4, 28, 28), np.uint8)
images[:, 10:18, 10:18] = 255
guest = np.array([[10, 10], [20, 10], [np.nan, np.nan], [15, 15]])
if st.toggle("No guest"):
    guest = None
if st.toggle("Other map"):
    xy = 30 - xy
panels = [Panel("Method A", "#0072b2", xy, top, p_top, p_f, moved, "On its own map.", guest),
          Panel("Method B", "#d55e00", xy, top, p_top, p_f, moved)]
frames = [Frame("Original", "original", "As it was trained."),
          Frame("Epoch 1", "unlearn", "The extractor moves."),
          Frame("Epoch 2 · C step", "unlearn", "The classifier follows."),
          Frame("Relearning epoch 1", "relearn", "New samples are shown.")]
movie = Movie(panels, frames, true=np.array([1, 1, 0, 2]), class_names=["0", "9", "4"],
              forgotten=[1], images=images, guest_image=None if guest is None else images[0],
              guest_label="your drawing")
map_player(movie, key="map")
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


SCREEN = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def screen(browser: Any) -> Iterator[Any]:
    """What makes pages, and keeps Streamlit's files for the next one."""
    context = browser.new_context(viewport=SCREEN)
    yield context
    context.close()


def new_page(context: Any, errors: list[str]) -> Any:
    """A page that notes what is logged as an error."""
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("console", lambda entry: errors.append(entry.text) if entry.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page


@pytest.fixture
def page(screen: Any) -> Iterator[Any]:
    """A fresh page of 1280×800; fails the test if anything is logged as an error."""
    errors: list[str] = []
    page = new_page(screen, errors)
    yield page
    page.close()
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
    dark = wait_for_picture(sheet, other_than=light["sum"])
    assert dark["painted"] == light["painted"] > 0
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
    wait_for_picture(canvas)
    return canvas


def wait_for_picture(canvas: Any, other_than: int = 0) -> dict[str, int]:
    """What a canvas shows once it shows something else and has stopped changing."""
    before = None
    for _ in range(300):
        now: dict[str, int] = canvas.evaluate(READ_CANVAS)
        if now == before and now["painted"] and now["sum"] != other_than:
            return now
        before = now
        canvas.page.wait_for_timeout(50)
    raise TimeoutError("The canvas is empty, does not change or does not come to rest.")


@pytest.fixture(scope="module")
def shared_map(screen: Any, map_address: str) -> Iterator[tuple[Any, list[str]]]:
    """A page with the map for all tests that only look at it, and the errors logged there."""
    errors: list[str] = []
    page = new_page(screen, errors)
    open_map(page, map_address)
    yield page, errors
    page.close()


@pytest.fixture
def map_page(shared_map: tuple[Any, list[str]]) -> Iterator[Any]:
    """That page, with the map as it is when it is opened; fails like ``page``."""
    page, errors = shared_map
    errors.clear()
    page.mouse.move(5, 5)
    page.get_by_label("Moment").fill("0")  # pauses, too
    for label, value in {"Colour by": "true", "Highlight": "all", "Speed": "1"}.items():
        page.get_by_label(label).select_option(value)
    page.get_by_label("Tails").uncheck()
    page.get_by_role("group", name=re.compile("^Maps")).press("Escape")
    yield page
    assert not errors


@pytest.fixture
def canvas(map_page: Any) -> Any:
    """The first panel of that map."""
    return map_page.get_by_role("img", name=re.compile("Map of Method A"))


def moment(page: Any) -> int:
    return int(page.get_by_label("Moment").input_value())


def wait_for_moment(page: Any, frame: int) -> None:
    slider = page.get_by_label("Moment").element_handle()
    page.wait_for_function("([slider, frame]) => slider.value === frame", arg=[slider, str(frame)])


def place_on_map(canvas: Any, x: float, y: float) -> dict[str, float]:
    """A place of the map, which is 30 by 20, in CSS pixels from the canvas's corner."""
    box = canvas.bounding_box()
    scale = min((box["width"] - 30) / 30, (box["height"] - 30) / 20)
    left, bottom = (box["width"] - 30 * scale) / 2, (box["height"] + 20 * scale) / 2
    return {"x": left + x * scale, "y": bottom - y * scale}


def place_of_first_nine(canvas: Any, frame: int) -> dict[str, float]:
    """Where the walking 9 is at a frame."""
    return place_on_map(canvas, 10 * frame, 0)


# Red, green, blue, opacity of the most opaque pixel within `reach` of a place.
READ_PLACE = """(canvas, {x, y, reach}) => {
  const side = 2 * reach + 1, corner = [Math.round(x - 1) - reach, Math.round(y - 1) - reach];
  const {data} = canvas.getContext("2d").getImageData(...corner, side, side);
  let found = [0, 0, 0, 0];
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] > found[3]) found = [...data.slice(i, i + 4)];
  return found;
}"""

# The middle of all that has exactly a colour, in CSS pixels from the canvas's corner, or null.
FIND_COLOR = """(canvas, color) => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let x = 0, y = 0, count = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] !== 255 || color.some((part, k) => data[i + k] !== part)) continue;
    x += (i / 4) % canvas.width; y += Math.floor(i / 4 / canvas.width); count += 1;
  }
  return count ? {x: x / count + 1, y: y / count + 1} : null;
}"""
PRIMARY = [11, 92, 173]


def pixel(canvas: Any, x: float, y: float, reach: int = 0) -> list[int]:
    """What is painted at a place of the map."""
    place = place_on_map(canvas, x, y) | {"reach": reach}
    found: list[int] = canvas.evaluate(READ_PLACE, place)
    return found


def guest_place(canvas: Any) -> dict[str, float] | None:
    """Where the ring of a guest is that is not faded."""
    found: dict[str, float] | None = canvas.evaluate(FIND_COLOR, PRIMARY)
    return found


# At double speed a frame lasts 500 ms.
LONGER_THAN_A_FRAME = 750


def test_it_starts_paused_plays_and_pauses(page: Any, map_address: str) -> None:
    open_map(page, map_address)
    page.get_by_label("Speed").select_option("2")
    page.wait_for_timeout(LONGER_THAN_A_FRAME)
    assert moment(page) == 0
    page.get_by_role("button", name="Play").click()
    wait_for_moment(page, 1)
    wait_for_moment(page, 3)
    page.get_by_role("button", name="Play").wait_for()  # it stops at the end
    page.get_by_role("button", name="Play").click()  # and starts anew from there
    wait_for_moment(page, 1)
    page.get_by_role("button", name="Pause").click()
    here = moment(page)
    page.wait_for_timeout(LONGER_THAN_A_FRAME)
    assert moment(page) == here


def pictures_while_playing(page: Any, canvas: Any) -> int:
    """How many pictures there are in half of the time between two frames."""
    page.get_by_role("button", name="Play").click()
    pictures = set()
    for _ in range(8):
        page.wait_for_timeout(60)
        pictures.add(canvas.evaluate(READ_CANVAS)["sum"])
    return len(pictures)


def test_the_picture_moves_between_frames(map_page: Any, canvas: Any) -> None:
    assert pictures_while_playing(map_page, canvas) > 4


def test_reduced_motion_jumps_from_frame_to_frame(page: Any, map_address: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    canvas = open_map(page, map_address)
    page.get_by_label("Speed").select_option("2")
    page.get_by_role("button", name="Play").click()
    pictures = set()
    while moment(page) < 3:
        pictures.add(canvas.evaluate(READ_CANVAS)["sum"])
        page.wait_for_timeout(60)
    assert 1 < len(pictures) <= 4


def test_scrubbing_changes_label_picture_and_counts(map_page: Any, canvas: Any) -> None:
    before = canvas.evaluate(READ_CANVAS)
    slider = map_page.get_by_label("Moment")
    slider.fill("2")
    assert slider.get_attribute("aria-valuetext") == "Epoch 2 · C step"
    assert map_page.get_by_text("The classifier follows.").is_visible()
    assert map_page.get_by_text("“9” recognised: 1 of 2").count() == 2
    after = canvas.evaluate(READ_CANVAS)
    assert after["sum"] != before["sum"]
    slider.fill("0")
    assert canvas.evaluate(READ_CANVAS) == before


def test_keys_step_jump_and_play(map_page: Any) -> None:
    map_page.get_by_role("group", name=re.compile("^Maps")).focus()
    for key, frame in (("ArrowRight", 1), ("End", 3), ("ArrowLeft", 2), ("Home", 0)):
        map_page.keyboard.press(key)
        wait_for_moment(map_page, frame)
    spoken = map_page.get_by_role("status").filter(has_text="Original. As it was trained.")
    spoken.wait_for(state="attached")
    map_page.keyboard.press("Space")
    map_page.get_by_role("button", name="Pause").wait_for()
    map_page.keyboard.press("Space")
    map_page.get_by_role("button", name="Play").wait_for()


def tooltip(page: Any) -> Any:
    return page.locator(".tooltip")


def test_pointing_at_a_sample_shows_its_label_path_belief_and_three_best_classes(
    map_page: Any, canvas: Any
) -> None:
    map_page.get_by_label("Moment").fill("1")
    canvas.hover(position=place_of_first_nine(canvas, frame=1))
    lines = tooltip(map_page).inner_text().split("\n")
    of_panel = ["0 70 % · 9 25 % · 4 5 %", "Labels: 9 → 0", "Belief in “9”: 25 %"]
    assert [line for line in lines if line] == [
        "True class: 9",
        *("Method A", *of_panel),
        *("Method B", *of_panel),
    ]
    canvas.hover(position=place_on_map(canvas, 30, 20))
    # What has no percent is not worth a word.
    assert "\n4 100 %\n" in tooltip(map_page).inner_text()
    map_page.mouse.move(5, 5)
    assert tooltip(map_page).is_hidden()


def test_a_pinned_sample_has_a_trail_in_both_panels_until_escape(
    map_page: Any, canvas: Any
) -> None:
    other = map_page.get_by_role("img", name=re.compile("Map of Method B"))
    map_page.get_by_label("Moment").fill("3")
    before = [one.evaluate(READ_CANVAS)["painted"] for one in (canvas, other)]
    canvas.click(position=place_of_first_nine(canvas, frame=3))
    map_page.mouse.move(5, 5)
    pinned = [one.evaluate(READ_CANVAS)["painted"] for one in (canvas, other)]
    assert all(now > then + 500 for now, then in zip(pinned, before, strict=True))
    assert tooltip(map_page).inner_text().count("Labels: 9 → 0 ×2 → 9") == 2
    map_page.keyboard.press("Escape")
    assert [one.evaluate(READ_CANVAS)["painted"] for one in (canvas, other)] == before


def test_up_and_down_pin_samples_from_the_forgotten_ones_on(map_page: Any) -> None:
    map_page.get_by_role("group", name=re.compile("^Maps")).focus()
    classes = []
    for key in (*["ArrowDown"] * 5, "ArrowUp"):
        map_page.keyboard.press(key)
        classes.append(tooltip(map_page).locator(".truth").inner_text())
    assert [each[-1] for each in classes] == ["9", "9", "4", "0", "9", "0"]
    map_page.get_by_role("status").get_by_text(
        "Pinned. True class: 0. Method A: 0 100 %."
    ).wait_for(state="attached")
    assert moment(map_page) == 0


def test_every_control_is_reached_by_the_keyboard_and_has_a_name(map_page: Any) -> None:
    map_page.get_by_label("Colour by").focus()
    for name in ("Highlight", "Tails", "Picture", "Maps", "One step back", "Play", "One step"):
        map_page.keyboard.press("Tab")
        focused = map_page.locator("*:focus").last
        assert name in focused.evaluate(
            "e => e.ariaLabel ?? e.labels?.[0]?.innerText ?? e.innerText"
        ), name
    map_page.keyboard.press("Tab")
    assert map_page.get_by_label("Moment").evaluate("e => e.matches(':focus')")


def test_tails_are_as_long_as_the_sample_moved_in_feature_space(map_page: Any, canvas: Any) -> None:
    map_page.get_by_label("Moment").fill("3")

    def opacity(x: float) -> int:
        return pixel(canvas, x, 0, reach=3)[3]

    before = canvas.evaluate(READ_CANVAS)
    assert opacity(21) == opacity(13) == 0
    map_page.get_by_label("Tails").focus()
    map_page.keyboard.press("Space")
    assert map_page.get_by_text("Tails point to where samples were at first").is_visible()
    # From 30 back towards 0 by 0.6 class distances of 30.
    assert opacity(21) > 100
    assert opacity(13) > 100
    assert opacity(11) == 0
    map_page.get_by_label("Moment").fill("2")
    assert opacity(9) > 100
    assert opacity(7) == 0
    map_page.get_by_label("Highlight").select_option("recognised")
    assert opacity(9) == 0  # what is dimmed has no tail
    map_page.get_by_label("Highlight").select_option("all")
    map_page.get_by_label("Moment").fill("3")
    map_page.get_by_label("Tails").uncheck()
    assert canvas.evaluate(READ_CANVAS) == before


def test_with_tails_the_picture_moves_and_they_stay_on_through_a_rerun(
    page: Any, map_address: str
) -> None:
    canvas = open_map(page, map_address)
    page.get_by_label("Tails").check()
    assert pictures_while_playing(page, canvas) > 4
    page.get_by_role("button", name="Rerun").click()
    page.get_by_text("Reran").wait_for()
    assert page.get_by_label("Tails").is_checked()


def test_the_guest_is_on_its_map_and_says_what_it_is(map_page: Any, canvas: Any) -> None:
    other = map_page.get_by_role("img", name=re.compile("Map of Method B"))
    place = place_on_map(canvas, 10, 10)
    found = guest_place(canvas)
    assert found is not None
    assert found == pytest.approx(place, abs=2)
    assert guest_place(other) is None
    # White ink of MNIST is shown dark on light paper.
    assert pixel(canvas, 10, 10) == [0, 0, 0, 255]
    canvas.hover(position=place)
    assert tooltip(map_page).inner_text() == "Your drawing"
    assert map_page.locator(".legend").get_by_text("your drawing").is_visible()
    assert map_page.get_by_role("img", name="Your drawing is on the map.").count() == 1


def test_where_the_guest_was_not_computed_it_waits_faded(map_page: Any, canvas: Any) -> None:
    map_page.get_by_label("Moment").fill("2")
    assert guest_place(canvas) is None
    canvas.hover(position=place_on_map(canvas, 20, 10))  # where it was in frame 1
    assert "Your drawing" in tooltip(map_page).inner_text()
    assert "not computed for this moment" in tooltip(map_page).inner_text().lower()
    assert 100 < pixel(canvas, 20, 10)[0] < 200
    map_page.get_by_role("img", name="was not computed at this step").wait_for()
    map_page.get_by_label("Moment").fill("3")
    map_page.mouse.move(5, 5)
    found = guest_place(canvas)
    assert found == pytest.approx(place_on_map(canvas, 15, 15), abs=2)


def test_the_guest_glides_between_computed_frames(map_page: Any, canvas: Any) -> None:
    map_page.get_by_label("Speed").select_option("0.5")
    map_page.get_by_role("button", name="Play").click()
    start, end = (place_on_map(canvas, x, 10)["x"] for x in (10, 20))
    between = set()
    for _ in range(20):
        map_page.wait_for_timeout(60)
        found = guest_place(canvas)
        if found and start + 5 < found["x"] < end - 5:
            between.add(round(found["x"]))
        if len(between) > 2:
            return
    pytest.fail(f"The guest was seen at {between} only.")


def test_without_a_guest_nothing_of_it_is_left(page: Any, map_address: str) -> None:
    canvas = open_map(page, map_address)
    page.get_by_text("No guest").click()
    page.locator(".legend").get_by_text("your drawing").wait_for(state="detached")
    assert guest_place(canvas) is None
    canvas.hover(position=place_on_map(canvas, 10, 10))
    assert tooltip(page).is_hidden()
    assert page.get_by_role("img", name="drawing").count() == 0


def test_a_tap_on_the_guest_says_what_it_is(browser: Any, map_address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    canvas = open_map(page, map_address)
    canvas.tap(position=place_on_map(canvas, 10, 10))
    assert tooltip(page).inner_text() == "Your drawing"
    canvas.tap(position=place_on_map(canvas, 0, 0))
    assert "True class: 9" in tooltip(page).inner_text()
    context.close()


def test_a_note_stands_under_its_title_and_maps_start_at_one_height(
    map_page: Any, canvas: Any
) -> None:
    first = canvas.bounding_box()
    second = map_page.get_by_role("img", name=re.compile("Map of Method B")).bounding_box()
    note = map_page.get_by_text("On its own map.").bounding_box()
    title = map_page.locator(".title").get_by_text("Method A").bounding_box()
    assert title["y"] + title["height"] <= note["y"] + 1 < first["y"]
    assert first["y"] == second["y"]


@pytest.mark.parametrize("ratio", [1, 2])
def test_the_picture_is_a_sharp_png_with_maps_titles_and_legend(
    browser: Any, map_address: str, ratio: int, tmp_path: Path
) -> None:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, device_scale_factor=ratio
    )
    page = context.new_page()
    canvas = open_map(page, map_address)
    page.get_by_label("Moment").fill("2")
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture").press("Enter")
    assert download.value.suggested_filename == "map-epoch-2-c-step.png"
    download.value.save_as(tmp_path / "map.png")
    picture = Image.open(tmp_path / "map.png")
    assert picture.format == "PNG"
    box = canvas.bounding_box()
    assert picture.width > 2 * box["width"] * ratio
    assert picture.height > (box["height"] + 100) * ratio
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert (pixels[0, 0] == 255).all()
    # The bars of both methods, and ink above, between and below the maps.
    for color in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):
        assert (pixels == color).all(axis=2).sum() > box["width"] * ratio
    dark = (pixels.max(axis=2) < 90).sum(axis=1)
    heading, legend = dark[: 50 * ratio], dark[-50 * ratio :]
    assert heading.sum() > 100 * ratio
    assert legend.sum() > 100 * ratio
    # The walking 9 is on both maps.
    nine = (pixels == (0xFF, 0xA9, 0x0E)).all(axis=2)
    half = picture.width // 2
    assert nine[:, :half].any()
    assert nine[:, half:].any()
    context.close()


def test_on_another_map_of_the_same_samples_the_dots_glide_there(
    page: Any, map_address: str
) -> None:
    canvas = open_map(page, map_address)
    before = canvas.evaluate(READ_CANVAS)
    pictures = pictures_after(page, lambda: page.get_by_text("Other map").click())
    settled = canvas.evaluate(READ_CANVAS)
    assert settled["sum"] != before["sum"]
    assert len(pictures - {before["sum"], settled["sum"]}) > 3


def test_with_reduced_motion_another_map_is_there_at_once(page: Any, map_address: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    canvas = open_map(page, map_address)
    before = canvas.evaluate(READ_CANVAS)
    pictures = pictures_after(page, lambda: page.get_by_text("Other map").click())
    assert pictures <= {before["sum"], canvas.evaluate(READ_CANVAS)["sum"]}


def pictures_after(page: Any, act: Callable[[], None]) -> set[int]:
    """All that the first panel shows from ``act`` until it has come to rest again."""
    page.evaluate(
        """read => {
          window.seen = new Set();
          const look = () => {
            for (const host of document.querySelectorAll("*")) {
              const map = host.shadowRoot?.querySelector("canvas.map");
              if (!map?.width) continue;
              const {sum} = eval(read)(map);
              if (!window.seen.has(sum)) window.since = performance.now();
              window.seen.add(sum);
              break;
            }
            window.looking = requestAnimationFrame(look);
          };
          look();
        }""",
        READ_CANVAS,
    )
    act()
    page.wait_for_function("() => window.seen.size > 1 && performance.now() - window.since > 500")
    seen: list[int] = page.evaluate("() => [...window.seen]")
    return set(seen)


def test_filters_keep_the_others_dimmed_and_count_what_is_left(map_page: Any, canvas: Any) -> None:
    map_page.get_by_label("Moment").fill("3")
    everything = canvas.evaluate(READ_CANVAS)
    map_page.get_by_label("Highlight").select_option(label="Came back in relearning")
    assert map_page.get_by_text("“9” came back: 1 of 2").first.is_visible()
    filtered = canvas.evaluate(READ_CANVAS)
    assert filtered["painted"] == pytest.approx(everything["painted"], rel=0.1)
    assert filtered["sum"] != everything["sum"]
    map_page.get_by_label("Highlight").select_option(label="Moved away (over ½ class distance)")
    assert map_page.get_by_text("Moved away: 1 of 4").first.is_visible()
    map_page.get_by_label("Highlight").select_option(label="Damaged: others no longer recognised")
    assert map_page.get_by_text("Damaged: 1 of 2").first.is_visible()
    map_page.get_by_label("Moment").fill("2")
    assert map_page.get_by_text("Damaged: 0 of 2").first.is_visible()


@pytest.mark.parametrize(
    "mode", ["Predicted class", "Belief in “9”", "Distance moved in feature space"]
)
def test_each_colouring_has_its_own_picture_and_legend(
    map_page: Any, canvas: Any, mode: str
) -> None:
    map_page.get_by_label("Moment").fill("2")
    before = canvas.evaluate(READ_CANVAS)["sum"]
    map_page.get_by_label("Colour by").select_option(label=mode)
    assert map_page.locator("strong").get_by_text(mode).is_visible()
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
