"""The map everybody knows: umap-learn on one snapshot. Sharper clusters, no memory of time."""

import warnings

import numpy as np

from pru_demo.projection.graph import NEIGHBOURS, nearest


def classic_umap(features: np.ndarray, *, seed: int) -> np.ndarray:
    """UMAP positions (n, 2) float32 of one snapshot (n, d), umap-learn's defaults.

    Deterministic for a seed. The neighbours are ours, because umap-learn finds those of fewer than
    4096 samples in a Python loop (68 seconds against 10 for 21 snapshots). The first call in a
    process compiles for about half a minute. Needs umap-learn.
    Raises ValueError for features that are not finite, or fewer than 16 samples.
    """
    if features.ndim != 2 or len(features) <= NEIGHBOURS:
        raise ValueError(f"Features must be (samples > {NEIGHBOURS}, d), not {features.shape}.")
    if not np.isfinite(features).all():
        raise ValueError("The features contain NaN or infinite values: the model has diverged.")
    from umap import UMAP

    # umap-learn counts a sample as its own first neighbour
    others, distances = nearest(features, NEIGHBOURS - 1)
    myself = np.arange(len(features))[:, np.newaxis]
    indices = np.hstack([myself, others]).astype(np.int32)
    distances = np.hstack([np.zeros_like(distances[:, :1]), distances]).astype(np.float32)
    umap = UMAP(
        n_neighbors=NEIGHBOURS,
        precomputed_knn=(indices, distances, None),
        random_state=seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # Without a search index umap-learn cannot place new samples; nobody asks it to
        warnings.filterwarnings("ignore", message=".*knn_search_index")
        return np.asarray(umap.fit_transform(features.astype(np.float32)), dtype=np.float32)
