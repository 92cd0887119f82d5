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

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.evaluation.distances import class_distance
from pru_demo.figures.film import Frame, Panel
from pru_demo.ui.components.map_player import map_player
from pru_demo.ui.components.map_player.movie import Movie, fingerprint
from pru_demo.ui.components.map_player.payload import encode_movie
from pru_demo.ui.perception.player_film import Shown, movie_of
from pru_demo.ui.shared.records import perceived_runs, placed_of

FRAMES, SAMPLES = 5, 12


def make_panel(
    title: str = "PRU", seed: int = 0, frames: int = FRAMES, samples: int = SAMPLES
) -> Panel:
    """Samples that drift at random, with every class predicted at some time."""
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.full(10, 0.3), (frames, samples))
    top = np.argsort(-p, axis=2)[:, :, :3]
    return Panel(
        title=title,
        color="#0072b2",
        xy=np.cumsum(random.normal(size=(frames, samples, 2)), axis=0),
        top=top.astype(np.uint8),
        p_top=np.take_along_axis(p, top, 2),
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


def unpack_moved(text: str) -> npt.NDArray[np.uint8]:
    """As movie.js does it: differences, whose sums wrap around."""
    return np.cumsum(unpack(text).reshape(FRAMES, SAMPLES), axis=0, dtype=np.uint8)


def unpack_places(text: str) -> npt.NDArray[np.integer]:
    """As movie.js does it: low bytes, then high bytes, of folded differences."""
    low, high = unpack(text).reshape(2, -1).astype(np.int32)
    folded = (low | (high << 8)).reshape(2, FRAMES, SAMPLES)
    return np.cumsum((folded >> 1) ^ -(folded & 1), axis=1)


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
        places = np.moveaxis(unpack_places(sent["xy"]), 0, 2) / 2047 * span + low
        assert np.abs(places - panel.xy).max() <= span.max() / 2047


def test_the_three_most_probable_classes_come_back_with_their_percents() -> None:
    movie = make_movie()
    for panel, sent in zip(movie.panels, encode_movie(movie)["panels"], strict=True):
        shape = (3, SAMPLES, FRAMES)
        named, percent = (unpack(sent[name]).reshape(shape) for name in ("top", "percent"))
        top, p_top = panel.top.transpose(2, 1, 0), panel.p_top.transpose(2, 1, 0)
        assert np.abs(percent - 100 * p_top).max() <= 0.5
        assert np.array_equal(named[0], top[0])
        shown = percent > 0
        assert shown.any(axis=(1, 2)).all()
        assert np.array_equal(named[shown], top[shown])


def test_classes_of_less_than_half_a_percent_are_left_out_but_never_the_prediction() -> None:
    panel = make_panel()
    p_top = np.broadcast_to([0.0049, 0.0051, 0.0049], panel.p_top.shape)
    top = np.broadcast_to(np.array([7, 8, 9], np.uint8), panel.top.shape)
    movie = make_movie(panels=[replace(panel, top=top, p_top=p_top)])
    (sent,) = encode_movie(movie)["panels"]
    first, second, third = unpack(sent["top"]).reshape(3, -1)
    assert (set(first), set(second), set(third)) == ({7}, {8}, {0})
    assert [set(rank) for rank in unpack(sent["percent"]).reshape(3, -1)] == [{0}, {1}, {0}]


def test_two_classes_have_two_probabilities() -> None:
    panel = make_panel()
    short = replace(panel, top=panel.top[:, :, :2] % 2, p_top=panel.p_top[:, :, :2])
    parts = {"true": np.arange(SAMPLES) % 2, "class_names": ["cat", "dog"], "forgotten": {1}}
    encoded = encode_movie(make_movie(panels=[short], **parts))
    assert len(unpack(encoded["panels"][0]["top"])) == 2 * FRAMES * SAMPLES
    with pytest.raises(ValueError, match=r"top must have shape \(5, 12, 2\)"):
        make_movie(**parts)


def test_beliefs_and_distances_come_back_the_farthest_too() -> None:
    panel = make_panel()
    far = panel.moved.copy()
    far[3, 4] = 9.0
    movie = make_movie(panels=[replace(panel, moved=far), make_panel(seed=1)])
    encoded = encode_movie(movie)
    assert encoded["movedMost"] == 9
    for sent, one in zip(encoded["panels"], movie.panels, strict=True):
        assert np.abs(unpack(sent["pf"]) / 255 - one.p_f.ravel()).max() < 1 / 255
        assert np.abs(unpack_moved(sent["moved"]) / 255 * 9 - one.moved).max() < 9 / 255
    assert np.array_equal(unpack(encoded["true"]), movie.true)


def test_one_sample_that_went_far_does_not_stretch_the_colour_scale() -> None:
    panel = make_panel(samples=1000)
    far = panel.moved.copy()
    far[3, 4] = 9.0
    movie = make_movie(
        panels=[replace(panel, moved=far)],
        true=np.arange(1000) % 10,
        images=np.zeros((1000, 28, 28), np.uint8),
    )
    assert 1 <= encode_movie(movie)["movedTop"] <= 1.6


def test_the_unit_of_tails_is_the_distance_between_the_classes_that_are_kept() -> None:
    movie = make_movie()
    kept = movie.true != 9
    first, second = encode_movie(movie)["panels"]
    assert first["unit"] == class_distance(movie.panels[0].xy[0][kept], movie.true[kept]) > 0
    assert second["unit"] == class_distance(movie.panels[1].xy[0][kept], movie.true[kept])
    alone = replace(movie, forgotten=range(1, 10))
    assert [panel["unit"] for panel in encode_movie(alone)["panels"]] == [0, 0]


def with_guest(places: npt.NDArray[np.floating], **changes: Any) -> Movie:
    image = np.random.default_rng(3).integers(0, 256, (28, 28), np.uint8)
    panels = [replace(make_panel(), guest=places), make_panel("Boundary shrink", seed=1)]
    parts = {"panels": panels, "guest_image": image, "guest_label": "your drawing"}
    return make_movie(**(parts | changes))


def test_the_guest_comes_back_where_it_was_computed_also_outside_of_the_map() -> None:
    places = np.full((FRAMES, 2), np.nan)
    places[0], places[3] = (1.5, -0.5), (40.0, 2.0)
    places[4, 0] = 3.0  # half a place is none
    movie = with_guest(places)
    encoded = encode_movie(movie)
    sent = encoded["panels"][0]["guest"]
    assert [place is None for place in sent] == [False, True, True, False, True]
    everywhere = np.concatenate([panel.xy.reshape(-1, 2) for panel in movie.panels])
    low = np.minimum(everywhere.min(axis=0), places[0])
    span = np.array(encoded["extent"])
    for at in (0, 3):
        assert np.array(sent[at]) / 2047 * span + low == pytest.approx(places[at], abs=0.02)
    assert encoded["panels"][1]["guest"] is None
    assert encoded["guest"]["label"] == "your drawing"
    data = base64.b64decode(encoded["guest"]["uri"].partition(",")[2])
    assert movie.guest_image is not None
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), movie.guest_image)


def test_without_a_guest_nothing_of_it_is_sent() -> None:
    encoded = encode_movie(make_movie())
    assert encoded["guest"] is None
    assert [panel["guest"] for panel in encoded["panels"]] == [None, None]


def test_guests_in_colour_are_not_to_be_inverted() -> None:
    places = np.zeros((FRAMES, 2))
    assert encode_movie(with_guest(places))["guest"]["grey"] is True
    colour = np.zeros((32, 32, 3), np.uint8)
    assert encode_movie(with_guest(places, guest_image=colour))["guest"]["grey"] is False


def test_notes_come_back() -> None:
    noted = replace(make_panel(), note="On a map of its own.")
    panels = encode_movie(make_movie(panels=[noted, make_panel("Other")]))["panels"]
    assert [panel["note"] for panel in panels] == ["On a map of its own.", ""]


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
    assert sprite.format == "WEBP"
    fourth = np.asarray(sprite.convert("L"))[:28, 3 * 28 : 4 * 28].astype(int)
    assert np.abs(fourth - movie.images[3]).max() <= 9


def test_colour_images_are_sent_in_nearly_their_colours() -> None:
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


@pytest.mark.parametrize(
    ("preset", "frames", "kilobytes"), [("classroom", 21, 500), ("full", 31, 610)]
)
def test_bundled_runs_side_by_side_are_a_small_movie(
    preset: str, frames: int, kilobytes: int
) -> None:
    configs = [
        RunConfig(Scenario(preset=preset), Pick(method, "tuned"))
        for method in ("pru", "boundary_shrink")
    ]
    movie = movie_of(
        [
            Shown(run.record, place.xy, run.perceived.moved)
            for run in perceived_runs(configs)
            if (place := placed_of(run.record.config, "time"))
        ]
    )
    assert (len(movie.panels), len(movie.frames), len(movie.true)) == (2, frames, 1500)
    assert len(json.dumps(encode_movie(movie))) < 1000 * kilobytes


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"panels": []}, "one or two panels, not 0"),
        ({"panels": [make_panel()] * 3}, "one or two panels, not 3"),
        ({"frames": []}, "at least one frame"),
        ({"panels": [make_panel(frames=4)]}, r"PRU: xy must have shape \(5, 12, 2\)"),
        ({"panels": [replace(make_panel(), p_f=np.full((5, 12), np.nan))]}, "p_f must be finite"),
        ({"panels": [replace(make_panel(), p_top=np.zeros((5, 12)))]}, "p_top must have shape"),
        (
            {"panels": [replace(make_panel(), top=np.full((5, 12, 3), 10, np.uint8))]},
            "not exist",
        ),
        ({"panels": [replace(make_panel(), guest=np.zeros((5, 2)))]}, "needs its image"),
        ({"guest_image": np.zeros((28, 28))}, "guest's image must be uint8"),
        ({"guest_image": np.zeros((3, 28, 28), np.uint8)}, r"not \(3, 28, 28\)"),
        ({"images": np.zeros((3, 28, 28), np.uint8)}, "one for each of 12 samples"),
        ({"images": np.zeros((12, 28, 28))}, "must be uint8"),
        ({"forgotten": {10}}, "below 10"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make_movie(**changes)


def test_a_guest_needs_a_place_for_every_frame() -> None:
    with pytest.raises(ValueError, match=r"guest must have shape \(5, 2\), not \(4, 2\)"):
        with_guest(np.zeros((4, 2)))


def test_a_start_frame_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 4, not 5"):
        map_player(make_movie(), key="map", start_frame=FRAMES)


def test_the_fingerprint_changes_with_the_content_and_only_then() -> None:
    assert fingerprint(make_movie()) == fingerprint(make_movie())
    other = make_panel()
    other.p_f[3, 7] += 1e-6
    changed = [
        make_movie(panels=[other, make_panel("Boundary shrink", seed=1)]),
        make_movie(forgotten={8}),
        make_movie(class_names=[*"012345678", "nine"]),
        make_movie(panels=[make_panel()]),
        make_movie(panels=[replace(make_panel(), note="A note."), make_panel("Boundary shrink")]),
        with_guest(np.zeros((FRAMES, 2))),
        with_guest(np.ones((FRAMES, 2))),
        with_guest(np.ones((FRAMES, 2)), guest_label="your pick"),
        with_guest(np.ones((FRAMES, 2)), guest_image=np.zeros((28, 28), np.uint8)),
    ]
    prints = {fingerprint(movie) for movie in (make_movie(), *changed)}
    assert len(prints) == 1 + len(changed)


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
