"""How far a map may be believed. Shown beside every map, because none is faithful in everything."""

from dataclasses import dataclass

import numpy as np

from pru_demo.evaluation.distances import class_centres
from pru_demo.projection.align import reference_of
from pru_demo.projection.graph import NEIGHBOURS, squared_distances

# In units of the snapshot's radius: rounding leaves about 1e-7, the slowest real step seen 1e-2
STILL = 1e-4


@dataclass(frozen=True)
class Fidelity:
    """Agreement of a map with the features; all samples, nothing subsampled. None: not defined.

    ``trustworthiness_mean``, ``_min``: over snapshots; 1 = all 15 neighbours on the map are true.
    ``movement_correlation``: Pearson, over all samples and steps, of the length of the aligned step
    in feature space with the length of the step on the map; None if nothing moves in one of them.
    ``false_motion_percent``: median step on the map, in percent of its extent, of samples that
    stand still in feature space; None if none does.
    ``nearest_class_agreement``: share of forgotten samples (after snapshot 0) whose nearest
    retained class is the same in feature space and on the map; None without forgotten samples.
    Chance is 1 / (number of retained classes).
    """

    trustworthiness_mean: float
    trustworthiness_min: float
    movement_correlation: float | None
    false_motion_percent: float | None
    nearest_class_agreement: float | None


def map_fidelity(
    features: np.ndarray,
    placed: np.ndarray,
    labels: np.ndarray,
    retained: np.ndarray,
    *,
    align: bool = True,
) -> Fidelity:
    """Measure the map ``placed`` (T, n, 2) of one run ``features`` (T, n, d).

    ``labels`` (n,) are the true classes, ``retained`` (n,) marks samples of classes not forgotten.
    Without ``align`` motion common to all samples counts as motion, too.
    Raises ValueError if ``placed`` does not fit ``features``, and as `Reference.align` does.
    """
    if placed.shape != (*features.shape[:2], 2):
        raise ValueError(f"Positions {placed.shape} do not fit features {features.shape}.")
    aligned = reference_of(features[0], retained, poses=align).align(features)
    trust = [trustworthiness(x, y) for x, y in zip(aligned, placed, strict=True)]
    feature_step = np.linalg.norm(np.diff(aligned, axis=0), axis=2)
    map_step = np.linalg.norm(np.diff(placed, axis=0), axis=2)
    return Fidelity(
        float(np.mean(trust)),
        float(np.min(trust)),
        _pearson(feature_step.ravel(), map_step.ravel()),
        _false_motion_percent(feature_step, map_step, placed),
        _nearest_class_agreement(aligned[1:], placed[1:], labels, retained),
    )


def trustworthiness(points: np.ndarray, placed: np.ndarray, neighbours: int = NEIGHBOURS) -> float:
    """Share of neighbours on the map that are neighbours in truth (Venna & Kaski 2001, Eq. 1).

    1 - 2 / (n k (2n - 3k - 1)) * sum of (rank in ``points`` (n, d) - k) over the k nearest on
    ``placed`` (n, 2) that rank beyond k. Equal to scikit-learn's up to ties, in half of its time.
    k is less than n / 2: smaller than ``neighbours`` for very few samples.
    """
    samples = len(points)
    k = min(neighbours, (samples - 1) // 2)
    if k < 1:
        raise ValueError("Trustworthiness needs at least three samples.")
    # Half of the memory to go through; computed in float32, near ones would be lost
    distances = squared_distances(points).astype(np.float32)
    to_neighbours = np.take_along_axis(distances, _nearest_on_map(placed, k), axis=1)
    excess = 0
    for to_neighbour in to_neighbours.T:
        rank = 1 + (distances < to_neighbour[:, np.newaxis]).sum(axis=1, dtype=np.int32)
        excess += int(np.maximum(rank - k, 0).sum())
    return 1 - 2 * excess / (samples * k * (2 * samples - 3 * k - 1))


def _nearest_on_map(placed: np.ndarray, neighbours: int) -> np.ndarray:
    """Indices (n, ``neighbours``) of the nearest others of places (n, 2)."""
    from scipy.spatial import KDTree

    _, nearest = KDTree(placed).query(placed, neighbours + 1)
    oneself = nearest == np.arange(len(placed))[:, np.newaxis]
    # Where many lie in one place, one may not be among one's own nearest
    oneself[~oneself.any(axis=1), -1] = True
    return np.asarray(nearest[~oneself].reshape(len(placed), neighbours))


def _pearson(a: np.ndarray, b: np.ndarray) -> float | None:
    if a.size < 2 or a.std() == 0 or b.std() == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _false_motion_percent(
    feature_step: np.ndarray, map_step: np.ndarray, placed: np.ndarray
) -> float | None:
    still = feature_step < STILL
    if not still.any():
        return None
    everywhere = placed.reshape(-1, 2)
    from_middle = np.linalg.norm(everywhere - np.median(everywhere, axis=0), axis=1)
    extent = 2 * np.percentile(from_middle, 95)
    return float(100 * np.median(map_step[still]) / extent) if extent > 0 else 0.0


def _nearest_class_agreement(
    aligned: np.ndarray, placed: np.ndarray, labels: np.ndarray, retained: np.ndarray
) -> float | None:
    if retained.all() or len(aligned) == 0:
        return None
    agree = [
        _nearest_class(x, labels, retained) == _nearest_class(y, labels, retained)
        for x, y in zip(aligned, placed, strict=True)
    ]
    return float(np.mean(agree))


def _nearest_class(points: np.ndarray, labels: np.ndarray, retained: np.ndarray) -> np.ndarray:
    """For each forgotten sample of (n, d), the retained class whose centre is nearest."""
    classes, centres, _ = class_centres(points[retained], labels[retained])
    distances = np.linalg.norm(points[~retained][:, np.newaxis] - centres, axis=2)
    return np.asarray(classes[distances.argmin(axis=1)])
