"""Bring every snapshot into the pose of snapshot 0.

Training turns, shifts and scales a whole feature space without changing what it knows. That common
motion is removed with the retained samples only, so that it cannot hide the motion of the forgotten
ones (measured: with all samples the two groups move .55 and .30, with the retained .74 and .28).
"""

from dataclasses import dataclass

import numpy as np

# Radius relative to the distance from the origin below which a snapshot is one point: float32 noise
COLLAPSED = 1e-6
# How much "stay as you are" counts in a direction in which the retained samples say nothing
STAY = 1e-6


@dataclass(frozen=True, eq=False)
class Reference:
    """The retained samples of snapshot 0, to which every other snapshot is rotated.

    ``retained``: (n,) bool. ``points``: (m, d) float16, centred, unit root-mean-square radius.
    """

    retained: np.ndarray
    points: np.ndarray


def reference_of(snapshot: np.ndarray, retained: np.ndarray) -> Reference:
    """Reference made of one snapshot (n, d); ``retained`` (n,) marks the samples that define it.

    Raises ValueError for what `check_features` refuses.
    """
    check_features(snapshot[np.newaxis], retained)
    return Reference(retained.copy(), _centred(snapshot, retained)[retained].astype(np.float16))


def align(features: np.ndarray, reference: Reference) -> np.ndarray:
    """Centre, scale and rotate each snapshot of ``features`` (T, n, d) onto the reference.

    Orthogonal Procrustes (Schönemann 1966): R = argmin |X R - Y| over orthogonal R is the polar
    factor U V' of X'Y = U S V'. Distances inside a snapshot keep their proportions, so its
    nearest neighbours do not change. Every snapshot is treated by itself: the same
    snapshot gives the same bits in any company. Returns float32 (T, n, d).
    Raises ValueError for what `check_features` refuses, or another d than the reference's.
    """
    retained = reference.retained
    check_features(features, retained)
    target = reference.points.astype(np.float64)
    if features.shape[2] != target.shape[1]:
        raise ValueError(
            f"The features have {features.shape[2]} dimensions, the map {target.shape[1]}."
        )
    aligned = np.empty(features.shape, np.float32)
    for position, snapshot in enumerate(features):
        points = _centred(snapshot, retained)
        aligned[position] = points @ _rotation(points[retained], target)
    return aligned


def check_features(features: np.ndarray, retained: np.ndarray) -> None:
    """Raise ValueError with a sentence unless ``features`` (T, n, d) and ``retained`` (n,) fit."""
    if features.ndim != 3 or features.shape[0] < 1 or features.shape[2] < 2:
        raise ValueError(
            f"Features must be (snapshots, samples, dimensions >= 2), not {features.shape}."
        )
    if retained.dtype != np.bool_ or retained.shape != features.shape[1:2]:
        raise ValueError(
            f"'retained' must be {features.shape[1]} booleans, one per sample, "
            f"not {retained.dtype} of shape {retained.shape}."
        )
    if np.count_nonzero(retained) < 2:
        raise ValueError("At least two retained samples are needed to align the snapshots.")
    if not np.isfinite(features).all():
        raise ValueError("The features contain NaN or infinite values: the model has diverged.")


def _centred(snapshot: np.ndarray, retained: np.ndarray) -> np.ndarray:
    """Centre (n, d) on the retained samples and scale their root-mean-square radius to one."""
    points = snapshot.astype(np.float64)
    from_origin = np.sqrt(np.square(points[retained]).sum(axis=1).mean())
    points -= points[retained].mean(axis=0)
    radius = np.sqrt(np.square(points[retained]).sum(axis=1).mean())
    # Dividing a collapsed snapshot by its radius would blow rounding noise up to a cloud
    return points / radius if radius > COLLAPSED * from_origin else points


def _rotation(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Orthogonal (d, d) that brings ``points`` (m, d) onto ``target`` (m, d)."""
    cross = points.T @ target
    # Without this, dead units would be rotated at random by rounding errors
    cross += STAY * np.linalg.norm(cross) * np.eye(len(cross))
    left, _, right = np.linalg.svd(cross)
    return np.asarray(left @ right)
