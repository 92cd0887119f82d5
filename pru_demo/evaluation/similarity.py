"""Whether two networks see the same, however each has turned its feature space."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating]


@dataclass(frozen=True)
class Likeness:
    """CKA of two networks at one block: on all samples, and on the forgotten ones alone."""

    name: str
    all: float | None
    forgotten: float | None


def likeness(
    one: Mapping[str, Features], other: Mapping[str, Features], forgotten: NDArray[np.bool_]
) -> list[Likeness]:
    """Compare two networks block by block.

    Both give (n, d) for the same blocks and the same n samples; ``forgotten`` (n,) says which
    samples are of a forgotten class. Each group of samples is centred by itself, so that the
    comparison on the forgotten ones does not see how far they are from all others.
    """
    return [
        Likeness(
            name,
            linear_cka(one[name], other[name]),
            linear_cka(one[name][forgotten], other[name][forgotten]),
        )
        for name in one
    ]


def linear_cka(one: Features, other: Features) -> float | None:
    """Linear centred kernel alignment of the features (n, d1), (n, d2) of the same n samples.

    ‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖) with centred X, Y and Frobenius norms (Kornblith et al. 2019).
    From 0 (unrelated) to 1 (equal up to rotation, reflection, scale and shift); between
    one-dimensional features it is the squared correlation. None where one of them is constant or
    has no numbers: then there is nothing to align.

    It is biased upwards when there are few samples for many features: unrelated noise in d features
    each has a CKA of about d / (n + d) instead of 0.
    """
    x, y = _centred(one), _centred(other)
    # d × d matrices: the equal form with n × n Gram matrices would take 800 MB for a test part.
    scale = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return float(np.linalg.norm(x.T @ y) ** 2 / scale) if scale > 0 else None


def _centred(features: Features) -> NDArray[np.float64]:
    # The first row goes first, so that what is constant becomes exactly zero, not a rounding error.
    moved = features.astype(np.float64) - features[0]
    centred: NDArray[np.float64] = moved - moved.mean(0)
    return centred
