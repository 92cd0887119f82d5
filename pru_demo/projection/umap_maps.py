"""umap-learn, asked one thing at a time and with neighbours of our own."""

import warnings
from threading import Lock
from typing import Any

import numpy as np

from pru_demo.projection.graph import NEIGHBOURS, nearest

# umap-learn's compiled kernels are not safe to be entered by two threads at once.
_ONE_AT_A_TIME = Lock()


def classic_umap(features: np.ndarray, *, seed: int) -> np.ndarray:
    """The map everybody knows, of one snapshot (n, d): sharper clusters, no memory of time.

    Positions (n, 2) float32, see `fit_umap`.
    Raises ValueError for features that are not finite, or fewer than 16 samples.
    """
    if features.ndim != 2 or len(features) <= NEIGHBOURS:
        raise ValueError(f"Features must be (samples > {NEIGHBOURS}, d), not {features.shape}.")
    if not np.isfinite(features).all():
        raise ValueError("The features contain NaN or infinite values: the model has diverged.")
    return fit_umap(features, seed=seed)


def fit_umap(points: np.ndarray, *, seed: int, init: np.ndarray | None = None) -> np.ndarray:
    """UMAP positions (n, 2) float32 of ``points`` (n, d), umap-learn's defaults.

    ``init`` (n, 2) are the positions to start from, spectral ones by default. Deterministic for a
    seed. The neighbours are ours, because umap-learn finds those of fewer than 4096 samples in a
    Python loop (68 seconds against 10 for 21 snapshots). The first call in a process compiles for
    about half a minute. Needs umap-learn and more than 15 points.
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        # Without a search index umap-learn cannot place new samples; nobody asks it to
        warnings.filterwarnings("ignore", message=".*knn_search_index")
        from umap import UMAP

        start: Any = "spectral" if init is None else init.astype(np.float32)
        umap = UMAP(
            n_neighbors=NEIGHBOURS,
            precomputed_knn=(*_neighbours(points), None),
            init=start,
            random_state=seed,
            n_jobs=1,
        )
        return np.asarray(umap.fit_transform(points.astype(np.float32)), dtype=np.float32)


def warm_up() -> None:
    """Compile umap-learn's kernels, so that the next fit in this process need not wait for them."""
    fit_umap(np.random.default_rng(0).normal(size=(64, 4)), seed=0)


def _neighbours(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices and distances (n, 15): umap-learn counts a sample as its own first neighbour."""
    others, distances = nearest(points, NEIGHBOURS - 1)
    myself = np.arange(len(points))[:, np.newaxis]
    indices = np.hstack([myself, others]).astype(np.int32)
    return indices, np.hstack([np.zeros_like(distances[:, :1]), distances]).astype(np.float32)
