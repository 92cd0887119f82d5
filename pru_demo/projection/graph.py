"""Who belongs together: neighbours inside each snapshot, and each sample with itself in the next.

The construction of TimeVis (Yang et al., AAAI 2022) on UMAP's weights (McInnes et al. 2018,
section 3.1). Neighbours are never sought across snapshots: with 21 near-copies of each sample,
its nearest neighbours would be itself at other times, and the map 1500 separate specks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NEIGHBOURS = 15
TEMPORAL_WEIGHT = 0.3


@dataclass(frozen=True, eq=False)
class Edges:
    """Pairs of samples in one snapshot: ``head``, ``tail`` (E,), and ``weight`` (E,) in [0, 1]."""

    head: np.ndarray
    tail: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, eq=False)
class Step:
    """From one snapshot to the one after it: ``weight`` (n,) in [0, 0.3] ties each sample to
    itself, ``length`` (n,) is how far it goes."""

    before: int
    after: int
    weight: np.ndarray
    length: np.ndarray


@dataclass(frozen=True, eq=False)
class TemporalGraph:
    """``inside`` has the edges of each snapshot, ``steps`` those in time."""

    inside: tuple[Edges, ...]
    steps: tuple[Step, ...]


def temporal_graph(points: np.ndarray, followers: Sequence[tuple[int, int]]) -> TemporalGraph:
    """Graph over ``points`` (S, n, k); ``followers`` are pairs (snapshot, the one after it).

    Edges inside a snapshot carry UMAP's symmetric membership. Steps in time carry
    0.3 exp(-length / s), s = the mean distance to the 15th neighbour.
    """
    inside, radii = [], []
    for snapshot in points:
        indices, distances = nearest(snapshot, min(NEIGHBOURS, len(snapshot) - 1))
        inside.append(_symmetric_union(indices, memberships(distances)))
        radii.append(distances[:, -1].mean())
    scale = max(float(np.mean(radii)), np.finfo(np.float32).tiny)
    steps = []
    for before, after in followers:
        length = np.linalg.norm(points[after] - points[before], axis=1)
        steps.append(Step(before, after, TEMPORAL_WEIGHT * np.exp(-length / scale), length))
    return TemporalGraph(tuple(inside), tuple(steps))


def squared_distances(points: np.ndarray) -> np.ndarray:
    """(n, d) to (n, n) float64; the diagonal is infinite: nobody is a neighbour of itself."""
    # float64, because |x|² + |y|² - 2xy cancels for close points far from the origin
    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    squares = np.square(centred).sum(axis=1)
    distances = squares[:, np.newaxis] + squares - 2 * centred @ centred.T
    np.fill_diagonal(distances, np.inf)
    return np.asarray(np.maximum(distances, 0))


def nearest(points: np.ndarray, neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices and distances, each (n, ``neighbours``), of the exact nearest neighbours, sorted."""
    distances = squared_distances(points)
    indices = np.argpartition(distances, neighbours - 1, axis=1)[:, :neighbours]
    distances = np.take_along_axis(distances, indices, axis=1)
    order = np.argsort(distances, axis=1, kind="stable")
    indices, distances = (np.take_along_axis(each, order, axis=1) for each in (indices, distances))
    return indices, np.sqrt(distances)


def memberships(distances: np.ndarray) -> np.ndarray:
    """UMAP's weights exp(-(d - rho) / sigma) of sorted neighbour ``distances`` (n, k).

    rho is the distance to the first neighbour; sigma makes each row sum to log2(k + 1). It is
    found by bisection, at least 1/1000 of the mean distance (umap-learn's MIN_K_DIST_SCALE).
    """
    beyond_first = distances - distances[:, :1]
    target = np.log2(distances.shape[1] + 1)
    low = np.zeros(len(distances))
    high = np.full(len(distances), np.inf)
    sigma = np.ones(len(distances))
    for _ in range(40):
        too_wide = np.exp(-beyond_first / sigma[:, np.newaxis]).sum(axis=1) > target
        high = np.where(too_wide, sigma, high)
        low = np.where(too_wide, low, sigma)
        sigma = np.where(np.isinf(high), 2 * sigma, (low + high) / 2)
    floor = np.maximum(1e-3 * distances.mean(axis=1), np.finfo(np.float32).tiny)
    return np.asarray(np.exp(-beyond_first / np.maximum(sigma, floor)[:, np.newaxis]))


def _symmetric_union(indices: np.ndarray, weights: np.ndarray) -> Edges:
    """Fuzzy union a + b - ab of the two directions of each edge; every pair appears once."""
    from scipy import sparse

    samples, neighbours = indices.shape
    rows = np.repeat(np.arange(samples), neighbours)
    directed = sparse.csr_matrix((weights.ravel(), (rows, indices.ravel())), (samples, samples))
    union = directed + directed.T - directed.multiply(directed.T)
    upper = sparse.triu(union, 1).tocoo()
    return Edges(upper.row.astype(np.int64), upper.col.astype(np.int64), upper.data)
