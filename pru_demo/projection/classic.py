"""The map everybody knows: umap-learn on one snapshot. Sharper clusters, no memory of time."""

import numpy as np

from pru_demo.projection.graph import NEIGHBOURS
from pru_demo.projection.umap_fit import fit_umap


def classic_umap(features: np.ndarray, *, seed: int) -> np.ndarray:
    """UMAP positions (n, 2) float32 of one snapshot (n, d), see `fit_umap`.

    Raises ValueError for features that are not finite, or fewer than 16 samples.
    """
    if features.ndim != 2 or len(features) <= NEIGHBOURS:
        raise ValueError(f"Features must be (samples > {NEIGHBOURS}, d), not {features.shape}.")
    if not np.isfinite(features).all():
        raise ValueError("The features contain NaN or infinite values: the model has diverged.")
    return fit_umap(features, seed=seed)
