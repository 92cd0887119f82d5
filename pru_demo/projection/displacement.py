"""How far features have moved: the number no map can fake, for colours and tails."""

import numpy as np

from pru_demo.projection.align import align, reference_of


def displacement(features: np.ndarray, retained: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Distance (T, n) of every sample from where it was in snapshot 0, in the feature space.

    ``features`` (T, n, d) are aligned on the ``retained`` (n,) samples first. The unit is the mean
    distance between the centroids of the retained classes in snapshot 0: at 1 a sample has gone
    as far as from one class to another. ``labels`` (n,) are the true classes.
    Raises ValueError with fewer than two retained classes, and as `align` does.
    """
    aligned = align(features, reference_of(features[0], retained))
    _, centroids = class_centroids(aligned[0], labels, retained)
    if len(centroids) < 2:
        raise ValueError("The unit of displacement needs at least two retained classes.")
    apart = np.linalg.norm(centroids[:, np.newaxis] - centroids, axis=2)
    unit = apart[np.triu_indices(len(centroids), 1)].mean()
    moved = np.linalg.norm(aligned - aligned[0], axis=2)
    return np.asarray(moved / unit if unit > 0 else np.zeros_like(moved))


def class_centroids(
    points: np.ndarray, labels: np.ndarray, retained: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Retained classes (c,) and the centroids (c, d) of their retained samples in (n, d)."""
    classes = np.unique(labels[retained])
    members = [retained & (labels == label) for label in classes]
    return classes, np.stack([points[member].mean(axis=0) for member in members])
