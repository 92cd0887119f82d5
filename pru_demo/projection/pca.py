"""Principal components of many snapshots at once, the same on every machine up to rounding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Points of order one that spread less than this coincide
COINCIDENT = 1e-6


@dataclass(frozen=True, eq=False)
class Axes:
    """``mean`` (d,) and ``directions`` (d, k), both float32, widest direction first.

    Directions are orthogonal and of equal length: the inverse of the points' root-mean-square
    coordinate, so that coordinates are of order one, as a neural network wants them.
    """

    mean: np.ndarray
    directions: np.ndarray

    def coordinates(self, points: np.ndarray) -> np.ndarray:
        """(n, d) to (n, k), float32."""
        return np.asarray((points - self.mean) @ self.directions, dtype=np.float32)


def principal_axes(snapshots: Sequence[np.ndarray], components: int) -> Axes:
    """Fit min(``components``, d) axes to all ``snapshots``, each (n, d), taken together.

    An eigenvector's sign is arbitrary; here its largest entry is positive. Points of order one are
    expected; below 1e-6 they count as coinciding, and rounding noise is not blown up.
    """
    mean = np.mean([snapshot.mean(axis=0, dtype=np.float64) for snapshot in snapshots], axis=0)
    mean = mean.astype(np.float32)
    covariance = np.zeros((len(mean), len(mean)))
    for snapshot in snapshots:
        centred = snapshot - mean
        covariance += centred.T @ centred / len(centred)
    values, vectors = np.linalg.eigh(covariance / len(snapshots))
    values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
    spread = max(np.sqrt(max(values.mean(), 0.0)), COINCIDENT)
    return Axes(mean, (vectors / spread).astype(np.float32))
