"""What a film of moving samples is made of, for the player and for the exported file alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Stage: TypeAlias = Literal["original", "unlearn", "relearn"]
Floats: TypeAlias = npt.NDArray[np.floating]
Bytes: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Panel:
    """One method's map: T frames of the same n samples.

    Attributes:
        title: name of the method.
        color: its colour, ``#rrggbb``.
        xy: (T, n, 2) places on the map, in map units shared by all panels.
        top: (T, n, 3) uint8, indices of the three most probable classes, the prediction first;
            fewer where there are fewer classes.
        p_top: probabilities of those, from 0 to 1.
        p_f: (T, n) from 0 to 1, probability given to the forgotten classes.
        moved: (T, n) >= 0, displacement in feature space since frame 0, in units of the mean
            distance between class centres.
        note: one short line under the title, or "".
        guest: (T, 2) places of the visitor's own image, NaN where they were not computed; None
            where there is none.
    """

    title: str
    color: str
    xy: Floats
    top: Bytes
    p_top: Floats
    p_f: Floats
    moved: Floats
    note: str = ""
    guest: Floats | None = None


@dataclass(frozen=True)
class Frame:
    """A moment: its name ("Epoch 3 · E step"), its stage, one sentence on what happens in it."""

    label: str
    stage: Stage
    hint: str


def bounds(panels: Sequence[Panel]) -> tuple[Floats, Floats]:
    """Lower left and upper right corner (2,) of the box that holds all samples and guests."""
    places = [panel.xy.reshape(-1, 2) for panel in panels]
    guests = [panel.guest for panel in panels if panel.guest is not None]
    places += [guest[np.isfinite(guest).all(axis=1)] for guest in guests]
    everywhere = np.concatenate(places)
    return everywhere.min(axis=0), everywhere.max(axis=0)
