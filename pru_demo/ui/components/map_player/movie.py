"""All that the map player shows, checked, and recognised when it comes again."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pru_demo.figures.film import Bytes, Frame, Panel

_TOP = 3  # classes that are named for every sample


@dataclass(frozen=True, eq=False)
class Movie:
    """All that the player shows.

    Attributes:
        panels: one or two.
        frames: T moments.
        true: (n,) index of each sample's true class.
        class_names: name of each class.
        forgotten: indices of the forgotten classes.
        images: (n, H, W) grey or (n, H, W, 3) colour, uint8, shown when a sample is pointed at.
        guest_image: (H, W) or (H, W, 3) uint8, the image whose places are the panels' ``guest``.
        guest_label: what it is called, for example "your drawing".
    """

    panels: Sequence[Panel]
    frames: Sequence[Frame]
    true: npt.NDArray[np.integer]
    class_names: Sequence[str]
    forgotten: Collection[int]
    images: Bytes
    guest_image: Bytes | None = None
    guest_label: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError, with a sentence, if the parts do not fit each other."""
        if not 1 <= len(self.panels) <= 2:
            raise ValueError(f"The map player shows one or two panels, not {len(self.panels)}.")
        steps, samples, classes = len(self.frames), len(self.true), len(self.class_names)
        if not steps or not samples:
            raise ValueError("The map player needs at least one frame and one sample.")
        if len(self.images) != samples or self.images.dtype != np.uint8:
            raise ValueError(f"The images must be uint8, one for each of {samples} samples.")
        indices = [*self.forgotten, int(self.true.min()), int(self.true.max())]
        if min(indices) < 0 or max(indices) >= classes:
            raise ValueError(f"Class indices must be below {classes}, the number of class names.")
        for panel in self.panels:
            _check_panel(panel, steps, samples, classes)
        self._check_guest()

    def _check_guest(self) -> None:
        image = self.guest_image
        if image is None:
            if any(panel.guest is not None for panel in self.panels):
                raise ValueError("A guest on the map needs its image.")
        elif (
            image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,))
        ):
            raise ValueError(
                f"The guest's image must be uint8 of shape (H, W) or (H, W, 3), not {image.shape}."
            )


def _check_panel(panel: Panel, steps: int, samples: int, classes: int) -> None:
    top = (steps, samples, min(_TOP, classes))
    shapes: dict[str, tuple[int, ...]] = {"xy": (steps, samples, 2), "top": top, "p_top": top}
    shapes |= dict.fromkeys(("p_f", "moved"), (steps, samples))
    if panel.guest is not None:
        shapes["guest"] = (steps, 2)
    for name, shape in shapes.items():
        values = getattr(panel, name)
        if values.shape != shape:
            raise ValueError(f"{panel.title}: {name} must have shape {shape}, not {values.shape}.")
        if name != "guest" and not np.isfinite(values).all():
            raise ValueError(f"{panel.title}: {name} must be finite everywhere.")
    if panel.top.max() >= classes:
        raise ValueError(f"{panel.title}: top names a class that does not exist.")


def fingerprint(movie: Movie) -> str:
    """Equal for movies of equal content, in hexadecimal; much cheaper than encoding one."""
    digest = hashlib.blake2b(digest_size=16)
    texts = (movie.frames, movie.class_names, sorted(movie.forgotten), movie.guest_label)
    named = ((panel.title, panel.color, panel.note) for panel in movie.panels)
    digest.update(repr([*texts, *named]).encode())
    arrays: list[npt.NDArray[Any] | None] = [movie.true, movie.images, movie.guest_image]
    for panel in movie.panels:
        arrays += [panel.xy, panel.top, panel.p_top, panel.p_f, panel.moved, panel.guest]
    for array in arrays:
        if array is None:
            digest.update(b"none")
            continue
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
