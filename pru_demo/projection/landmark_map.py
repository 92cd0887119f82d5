"""Sharp clusters: UMAP of some samples of all moments, everybody else among their neighbours.

A position is a function of the features here too, so what stands still stands still. Groups are
tighter than on the temporal map; where one lies among the others is arbitrary. Fitting needs
umap-learn, placing numpy only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pru_demo.projection.graph import NEIGHBOURS, memberships
from pru_demo.projection.temporal_map import TemporalMap, pca_map
from pru_demo.projection.umap_maps import fit_umap

# Each sample is a landmark at this many moments. At more, its nearest neighbours would be itself at
# other times, and the map as many separate specks as there are samples.
MOMENTS_EACH = 2
# Rows whose distances to all landmarks are held in memory at once.
_ROWS = 2000
# Farther neighbours keep a little weight, or places would jump when the order of two changes.
_LEAST_WEIGHT = 1e-4


@dataclass(frozen=True, eq=False)
class LandmarkMap:
    """``plane`` brings features to coordinates (k,); there are ``landmarks`` (m, k) float32 and
    their ``places`` (m, 2)."""

    plane: TemporalMap
    landmarks: np.ndarray
    places: np.ndarray

    def place(self, features: np.ndarray) -> np.ndarray:
        """Positions (T, n, 2) of ``features`` (T, n, d).

        Raises ValueError as `Reference.align` does.
        """
        return np.stack([self._among(x) for x in self.plane.coordinates(features)])

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything the map is made of, as flat names and arrays, for a file."""
        return {**self.plane.arrays(), "landmarks": self.landmarks, "places": self.places}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "LandmarkMap":
        """Inverse of `arrays`. Raises KeyError when an array is missing."""
        return cls(TemporalMap.from_arrays(arrays), arrays["landmarks"], arrays["places"])

    def _among(self, coordinates: np.ndarray) -> np.ndarray:
        """Mean (n, 2) of the places of the nearest landmarks, by UMAP's memberships."""
        rows = range(0, len(coordinates), _ROWS)
        return np.concatenate([self._mean(coordinates[row : row + _ROWS]) for row in rows])

    def _mean(self, x: np.ndarray) -> np.ndarray:
        squares = np.square(self.landmarks).sum(axis=1)
        distances = np.square(x).sum(axis=1)[:, np.newaxis] + squares - 2 * x @ self.landmarks.T
        count = min(NEIGHBOURS, len(self.landmarks))
        near = np.argpartition(distances, count - 1, axis=1)[:, :count]
        distances = np.sqrt(np.maximum(np.take_along_axis(distances, near, axis=1), 0))
        order = np.argsort(distances, axis=1, kind="stable")
        near, distances = (np.take_along_axis(each, order, axis=1) for each in (near, distances))
        weights = memberships(distances) + _LEAST_WEIGHT
        weights /= weights.sum(axis=1, keepdims=True)
        return np.asarray(np.einsum("nk,nkd->nd", weights, self.places[near]), np.float32)


def fit_landmark_map(
    runs: Sequence[np.ndarray],
    retained: np.ndarray,
    *,
    seed: int,
    report: Callable[[float], None] | None = None,
) -> LandmarkMap:
    """Fit the map of a scenario; arguments and errors are those of `fit_temporal_map`.

    Every sample at two moments, and as many samples of every moment, are placed by umap-learn,
    starting from the joint-PCA plane. ``report`` is called before and after, because umap-learn
    does not say how far it is.
    """
    report = report or (lambda share: None)
    plane = pca_map(runs, retained)
    # The original is snapshot 0 of every run, and counts once
    snapshots = plane.coordinates(runs[0][:1])
    for run in runs:
        snapshots += plane.coordinates(run[1:]) if len(run) > 1 else []
    generator = np.random.default_rng(seed)
    chosen = []
    for _ in range(MOMENTS_EACH):
        order = generator.permutation(len(retained))
        chosen += [x[order[i :: len(snapshots)]] for i, x in enumerate(snapshots)]
    landmarks = np.concatenate(chosen)
    report(0.1)
    places = fit_umap(landmarks, seed=seed, init=landmarks[:, :2] * np.float32(plane.plane_scale))
    report(1.0)
    return LandmarkMap(plane, landmarks, places)
