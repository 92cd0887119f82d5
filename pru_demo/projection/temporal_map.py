"""One map for all snapshots of a scenario: align, project on principal components, bend.

position = f(features): the joint-PCA plane plus a small network trained so that neighbours stay
neighbours. A sample whose features stand still stands still, one that comes back comes back.
Building a map needs torch and scipy, using one needs numpy.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pru_demo.projection.align import Reference, check_features, reference_of
from pru_demo.projection.graph import temporal_graph
from pru_demo.projection.map_network import Layers, forward, initial_layers, train_layers
from pru_demo.projection.pca import COINCIDENT, Axes, principal_axes

COMPONENTS = 50
# More gain little (benchmarks/projection.py)
STEPS = 875
# The PCA plane reaches this far from its centre; the network's output is measured in it, too
MAP_RADIUS = 10.0
# Above float32 and TF32 noise between devices, far below one step of unlearning
SAME_ORIGIN = 1e-2


@dataclass(frozen=True, eq=False)
class Entrance:
    """From features (d,) of one network to the map's coordinates (k,): e @ ``matrix`` (d, k) +
    ``offset`` (k,), both float32."""

    matrix: np.ndarray
    offset: np.ndarray


@dataclass(frozen=True, eq=False)
class TemporalMap:
    """A map from features to the plane; arrays only, so it can be stored and sent anywhere."""

    reference: Reference
    axes: Axes
    plane_scale: float
    layers: Layers

    def place(self, features: np.ndarray) -> np.ndarray:
        """Positions (T, n, 2) of ``features`` (T, n, d): the n samples the map was made for.

        A run the map has never seen may be placed, too.
        Raises ValueError as `Reference.align` does.
        """
        return np.stack([self._bent(x) for x in self.coordinates(features)])

    def entrance(self, snapshot: np.ndarray) -> Entrance:
        """Where new images enter the map that the network of ``snapshot`` (n, d) has seen."""
        pose = self.reference.pose_of(snapshot.astype(np.float64))
        matrix = pose.turn @ self.axes.directions
        offset = -(pose.shift @ matrix) - self.axes.mean @ self.axes.directions
        return Entrance(matrix.astype(np.float32), offset.astype(np.float32))

    def place_through(self, entrance: Entrance, features: np.ndarray) -> np.ndarray:
        """Positions (m, 2) of new images with ``features`` (m, d); up to rounding those of
        `place`."""
        coordinates = (features @ entrance.matrix + entrance.offset).astype(np.float32)
        return self._bent(coordinates)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything the map is made of, as flat names and arrays, for a file."""
        named = {
            "retained": self.reference.retained,
            "reference": self.reference.points,
            "centre": self.reference.centre,
            "radius": np.array(self.reference.radius),
            "poses": np.array(self.reference.poses),
            "mean": self.axes.mean,
            "directions": self.axes.directions,
            "plane_scale": np.array(self.plane_scale),
        }
        for position, (weight, bias) in enumerate(self.layers):
            named[f"weight_{position}"] = weight
            named[f"bias_{position}"] = bias
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "TemporalMap":
        """Inverse of `arrays`. Raises KeyError when an array is missing."""
        depth = sum(name.startswith("weight_") for name in arrays)
        return cls(
            Reference(
                arrays["retained"],
                arrays["reference"],
                arrays["centre"],
                float(arrays["radius"]),
                bool(arrays["poses"]),
            ),
            Axes(arrays["mean"], arrays["directions"]),
            float(arrays["plane_scale"]),
            tuple((arrays[f"weight_{layer}"], arrays[f"bias_{layer}"]) for layer in range(depth)),
        )

    def coordinates(self, features: np.ndarray) -> list[np.ndarray]:
        """What is placed: coordinates (n, k) on the principal components, of each snapshot.

        Raises ValueError as `Reference.align` does.
        """
        # One by one, not as one large product: a snapshot gives the same bits in any company
        return [self.axes.coordinates(points) for points in self.reference.align(features)]

    def _bent(self, coordinates: np.ndarray) -> np.ndarray:
        return self._plane(coordinates) + MAP_RADIUS * forward(self.layers, coordinates)

    def _plane(self, coordinates: np.ndarray) -> np.ndarray:
        return coordinates[:, :2] * np.float32(self.plane_scale)


def pca_map(runs: Sequence[np.ndarray], retained: np.ndarray) -> TemporalMap:
    """The joint-PCA plane of ``runs`` (each (T, n, d)), from which `fit_temporal_map` starts.

    Made at once, with numpy only. Raises ValueError as `fit_temporal_map` does.
    """
    return _start(runs, retained, seed=0, poses=True)[0]


def fit_temporal_map(
    runs: Sequence[np.ndarray],
    retained: np.ndarray,
    *,
    seed: int,
    align: bool = True,
    steps: int = STEPS,
    report: Callable[[float], None] | None = None,
) -> TemporalMap:
    """Fit the map of a scenario.

    ``runs`` are (T_r, n, d) each: features of the same n samples, snapshot 0 being the same
    original model in all of them (it counts once). ``retained`` (n,) bool marks the samples of
    classes that are not forgotten. Without ``align`` motion common to all samples is shown, too:
    every snapshot is centred and scaled as snapshot 0 is. ``report`` is called with the share of
    the training done. The same seed gives the same map on one machine; with ``steps`` = 0 it is
    `pca_map`.
    Raises ValueError if a feature is not finite, shapes do not fit or snapshot 0 differs.
    """
    start, coordinates = _start(runs, retained, seed=seed, poses=align)
    if steps == 0:
        return start
    points = np.stack(coordinates)
    layers = train_layers(
        points,
        np.stack([start._plane(x) for x in coordinates]),
        temporal_graph(points, _followers([len(run) for run in runs])),
        start.layers,
        unit=MAP_RADIUS,
        scale=start.plane_scale,
        seed=seed,
        steps=steps,
        report=report or (lambda share: None),
    )
    return replace(start, layers=layers)


def _start(
    runs: Sequence[np.ndarray], retained: np.ndarray, *, seed: int, poses: bool
) -> tuple[TemporalMap, list[np.ndarray]]:
    """The untrained map, and the coordinates (n, k) of each snapshot, the shared one first."""
    _check_runs(runs, retained)
    reference = reference_of(runs[0][0], retained, poses=poses)
    snapshots = list(reference.align(runs[0][:1]))
    for run in runs:
        if len(run) > 1:
            snapshots.extend(reference.align(run[1:]))
    axes = principal_axes(snapshots, COMPONENTS)
    coordinates = [axes.coordinates(snapshot) for snapshot in snapshots]
    reach = max(COINCIDENT, *(float(np.abs(x[:, :2]).max()) for x in coordinates))
    layers = initial_layers(axes.directions.shape[1], seed)
    return TemporalMap(reference, axes, MAP_RADIUS / reach, layers), coordinates


def _check_runs(runs: Sequence[np.ndarray], retained: np.ndarray) -> None:
    if not runs:
        raise ValueError("A map needs at least one run.")
    for run in runs:
        check_features(run, retained)
        if run.shape[1:] != runs[0].shape[1:]:
            raise ValueError(f"Runs differ in shape: {run.shape[1:]} and {runs[0].shape[1:]}.")
        difference = np.linalg.norm(run[0].astype(np.float64) - runs[0][0])
        if difference > SAME_ORIGIN * np.linalg.norm(runs[0][0].astype(np.float64)):
            raise ValueError("Snapshot 0 must be the same original model in all runs.")


def _followers(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Consecutive snapshots of each run, when snapshot 0 is shared and the runs are joined.

    A snapshot that is alone follows itself.
    """
    pairs: list[tuple[int, int]] = []
    first = 1
    for length in lengths:
        pairs.extend(pairwise([0, *range(first, first + length - 1)]))
        first += length - 1
    return pairs or [(0, 0)]
