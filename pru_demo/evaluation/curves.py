"""A relearning curve in four numbers: how much of the class came back, and how soon."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Comeback:
    """A_f over relearning.

    ``area`` is the mean A_f in percent under the curve (trapezoids, so that the ends count half),
    ``maximum`` the largest A_f in percent at any epoch, 0 included. ``reaches_10`` and
    ``reaches_50`` are the first epochs with at least 10 % and 50 %; None: never.
    """

    area: float
    maximum: float
    reaches_10: int | None
    reaches_50: int | None


def comeback(a_f: Sequence[float]) -> Comeback:
    """Sum up A_f in percent right after unlearning (epoch 0) and after each relearning epoch.

    Without any relearning the area is the only value. Raises ValueError for no value at all.
    """
    maximum = max(a_f)
    trapezoids = [(left + right) / 2 for left, right in pairwise(a_f)] or a_f
    area = sum(trapezoids) / len(trapezoids)
    return Comeback(area, maximum, _first(a_f, 10), _first(a_f, 50))


def _first(a_f: Sequence[float], percent: float) -> int | None:
    return next((epoch for epoch, value in enumerate(a_f) if value >= percent), None)
