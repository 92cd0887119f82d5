"""The movie that reaches the browser is the one that Python has, and small enough."""

import base64
import io
import json
import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pru_demo.ui.components.map_player import Frame, Panel, map_player
from pru_demo.ui.components.map_player.payload import Movie, encode_movie, fingerprint

FRAMES, SAMPLES = 5, 12


def make_panel(
    title: str = "PRU", seed: int = 0, frames: int = FRAMES, samples: int = SAMPLES
) -> Panel:
    """Samples that drift at random, with every class predicted at some time."""
    random = np.random.default_rng(seed)
    return Panel(
        title=title,
        color="#0072b2",
        xy=np.cumsum(random.normal(size=(frames, samples, 2)), axis=0),
        predicted=random.integers(0, 10, (frames, samples)).astype(np.uint8),
        p_f=random.uniform(size=(frames, samples)),
        moved=random.uniform(0, 1.6, (frames, samples)),
    )


def make_movie(**changes: Any) -> Movie:
    stages = ("original", "unlearn", "unlearn", "relearn", "relearn")
    parts: dict[str, Any] = {
        "panels": [make_panel(), make_panel("Boundary shrink", seed=1)],
        "frames": [Frame(f"Moment {i}", stage, "A hint.") for i, stage in enumerate(stages)],
        "true": np.arange(SAMPLES) % 10,
        "class_names": [str(digit) for digit in range(10)],
        "forgotten": {9},
        "images": np.random.default_rng(2).integers(0, 256, (SAMPLES, 28, 28), np.uint8),
    }
    return Movie(**(parts | changes))


def unpack(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)


def unpack_places(text: str) -> npt.NDArray[np.uint16]:
    """As movie.js does it: low bytes, then high bytes, of differences that wrap around."""
    low, high = unpack(text).reshape(2, -1).astype(np.uint16)
    changes = (low | (high << 8)).reshape(2, FRAMES, SAMPLES)
    return np.cumsum(changes, axis=1, dtype=np.uint16)


def sprite_of(movie: Movie) -> Image.Image:
    uri = encode_movie(movie)["sprite"]["uri"]
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_places_come_back_on_axes_shared_by_both_panels() -> None:
    movie = make_movie()
    encoded = encode_movie(movie)
    everywhere = np.concatenate([panel.xy.reshape(-1, 2) for panel in movie.panels])
    low, span = everywhere.min(axis=0), np.ptp(everywhere, axis=0)
    assert encoded["extent"] == pytest.approx(span.tolist())
    for panel, sent in zip(movie.panels, encoded["panels"], strict=True):
        places = np.moveaxis(unpack_places(sent["xy"]), 0, 2) / 65535 * span + low
        assert np.abs(places - panel.xy).max() <= span.max() / 65535


def test_predictions_beliefs_and_distances_come_back() -> None:
    movie = make_movie()
    encoded = encode_movie(movie)
    top = encoded["movedTop"]
    assert 1 <= top <= 1.6
    for panel, sent in zip(movie.panels, encoded["panels"], strict=True):
        assert np.array_equal(unpack(sent["predicted"]), panel.predicted.ravel())
        assert np.abs(unpack(sent["pf"]) / 255 - panel.p_f.ravel()).max() < 1 / 255
        moved = np.minimum(panel.moved.ravel(), top)
        assert np.abs(unpack(sent["moved"]) / 255 * top - moved).max() < top / 255
    assert np.array_equal(unpack(encoded["true"]), movie.true)


def test_small_distances_are_not_blown_up_to_the_whole_colour_scale() -> None:
    panel = make_panel()
    movie = make_movie(panels=[replace(panel, moved=panel.moved / 100)])
    assert encode_movie(movie)["movedTop"] == 1


def test_a_map_without_extent_is_encoded() -> None:
    panel = make_panel()
    encoded = encode_movie(make_movie(panels=[replace(panel, xy=np.ones_like(panel.xy))]))
    assert encoded["extent"] == [0, 0]
    assert not unpack_places(encoded["panels"][0]["xy"]).any()


def test_the_sprite_holds_each_grey_image_in_its_place() -> None:
    movie = make_movie()
    sprite = sprite_of(movie)
    assert sprite.format == "PNG"
    fourth = np.asarray(sprite.convert("L"))[:28, 3 * 28 : 4 * 28].astype(int)
    assert np.abs(fourth - movie.images[3]).max() <= 9


def test_colour_images_are_sent_as_webp() -> None:
    colours = np.zeros((SAMPLES, 32, 32, 3), np.uint8)
    colours[5] = (200, 40, 40)
    sprite = sprite_of(make_movie(images=colours))
    assert sprite.format == "WEBP"
    centre = np.asarray(sprite.convert("RGB"))[16, 5 * 32 + 16].astype(int)
    assert np.abs(centre - (200, 40, 40)).max() < 20


def test_classes_carry_name_colour_and_whether_they_are_forgotten() -> None:
    classes = encode_movie(make_movie())["classes"]
    assert [one["name"] for one in classes if one["forgotten"]] == ["9"]
    assert len({one["color"] for one in classes}) == 10


def test_a_full_size_movie_takes_less_than_600_kilobytes() -> None:
    frames, samples = 21, 1500
    random = np.random.default_rng(0)
    label = np.arange(samples) % 10
    xy = random.normal(size=(1, samples, 2)) + np.cumsum(
        random.normal(0, 0.02, (frames, samples, 2)), axis=0
    )
    panel = Panel(
        "PRU",
        "#0072b2",
        xy,
        np.tile(label, (frames, 1)).astype(np.uint8),
        np.where(label == 9, random.uniform(size=(frames, samples)), 0.0),
        np.cumsum(random.uniform(0, 0.02, (frames, samples)), axis=0),
    )
    # A ring of ink has about the mass and the edges of an MNIST digit.
    down, right = np.mgrid[-13.5:14.5, -13.5:14.5]
    radii = random.uniform(5, 9, (samples, 1, 1))
    ink = np.clip(2.2 - np.abs(np.hypot(down, right) - radii), 0, 1) * 255
    movie = make_movie(
        panels=[panel, panel],
        frames=[Frame(f"Epoch {i}", "unlearn", "A hint.") for i in range(frames)],
        true=label,
        images=ink.astype(np.uint8),
    )
    assert len(json.dumps(encode_movie(movie))) < 600_000


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"panels": []}, "one or two panels, not 0"),
        ({"panels": [make_panel()] * 3}, "one or two panels, not 3"),
        ({"frames": []}, "at least one frame"),
        ({"panels": [make_panel(frames=4)]}, r"PRU: xy must have shape \(5, 12, 2\)"),
        ({"panels": [replace(make_panel(), p_f=np.full((5, 12), np.nan))]}, "p_f must be finite"),
        (
            {"panels": [replace(make_panel(), predicted=np.full((5, 12), 10, np.uint8))]},
            "not exist",
        ),
        ({"images": np.zeros((3, 28, 28), np.uint8)}, "one for each of 12 samples"),
        ({"images": np.zeros((12, 28, 28))}, "must be uint8"),
        ({"forgotten": {10}}, "below 10"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make_movie(**changes)


def test_a_start_frame_that_does_not_exist_is_refused() -> None:
    parts = vars(make_movie()) | {"key": "map", "start_frame": FRAMES}
    with pytest.raises(ValueError, match="from 0 to 4, not 5"):
        map_player(parts.pop("panels"), parts.pop("frames"), **parts)


def test_the_fingerprint_changes_with_the_content_and_only_then() -> None:
    assert fingerprint(make_movie()) == fingerprint(make_movie())
    other = make_panel()
    other.p_f[3, 7] += 1e-6
    changed = [
        make_movie(panels=[other, make_panel("Boundary shrink", seed=1)]),
        make_movie(forgotten={8}),
        make_movie(class_names=[*"012345678", "nine"]),
        make_movie(panels=[make_panel()]),
    ]
    prints = {fingerprint(movie) for movie in (make_movie(), *changed)}
    assert len(prints) == 5


@pytest.mark.parametrize("component", ["draw_pad", "map_player"])
def test_modules_that_are_joined_do_not_share_top_level_names(component: str) -> None:
    import pru_demo.ui.components as package

    folder = Path(package.__path__[0]) / component
    declared = re.compile(
        r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE
    )
    names = [name for file in folder.glob("*.js") for name in declared.findall(file.read_text())]
    assert len(names) > 5
    assert len(names) == len(set(names))
