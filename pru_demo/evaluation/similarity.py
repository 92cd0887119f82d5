"""Whether two networks see the same, however each has turned its feature space."""

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating]


def linear_cka(one: Features, other: Features) -> float | None:
    """Linear centred kernel alignment of the features (n, d1), (n, d2) of the same n samples.

    ‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖) with centred X, Y and Frobenius norms (Kornblith et al. 2019).
    From 0 (unrelated) to 1 (equal up to rotation, reflection, scale and shift); between
    one-dimensional features it is the squared correlation. None where one of them is constant or
    has no numbers: then there is nothing to align.
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
