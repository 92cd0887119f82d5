"""Bring every snapshot into the pose of snapshot 0, and measure what moves nevertheless.

Training turns, shifts and scales a whole feature space without changing what it knows. That common
motion is removed with the retained samples only, so that it cannot hide the motion of the forgotten
ones (measured: with all samples the two groups move .55 and .30, with the retained .74 and .28).
"""

from dataclasses import dataclass

import numpy as np

from pru_demo.evaluation.distances import class_distance

# Radius relative to the distance from the origin below which a snapshot is one point: float32 noise
COLLAPSED = 1e-6
# How much "stay as you are" counts in a direction in which the retained samples say nothing
STAY = 1e-6


@dataclass(frozen=True, eq=False)
class Pose:
    """How one snapshot is brought to the reference: (e - ``shift`` (d,)) @ ``turn`` (d, d)."""

    shift: np.ndarray
    turn: np.ndarray


@dataclass(frozen=True, eq=False)
class Reference:
    """The retained samples of snapshot 0, to which every other snapshot is brought.

    ``retained``: (n,) bool. ``points``: (m, d) float16, centred, unit root-mean-square radius.
    ``centre`` (d,) float32 and ``radius`` are what was taken out of them. Without ``poses`` all
    snapshots are centred and scaled by these, so that common motion stays in.
    """

    retained: np.ndarray
    points: np.ndarray
    centre: np.ndarray
    radius: float
    poses: bool

    def align(self, features: np.ndarray) -> np.ndarray:
        """Centre, scale and rotate each snapshot of ``features`` (T, n, d) onto the reference.

        Every snapshot is treated by itself: the same snapshot gives the same bits in any company.
        Returns float32 (T, n, d). Raises ValueError for what `check_features` refuses, or another
        d than the reference's.
        """
        check_features(features, self.retained)
        if features.shape[2] != len(self.centre):
            raise ValueError(
                f"The features have {features.shape[2]} dimensions, the map {len(self.centre)}."
            )
        aligned = np.empty(features.shape, np.float32)
        for position, snapshot in enumerate(features):
            pose = self.pose_of(snapshot)
            aligned[position] = (snapshot - pose.shift) @ pose.turn
        return aligned

    def pose_of(self, snapshot: np.ndarray) -> Pose:
        """The pose of one snapshot (n, d) of the reference's samples."""
        if not self.poses:
            turn = np.eye(snapshot.shape[1]) / self.radius
            return Pose(self.centre.astype(np.float64), turn)
        centre, radius = _extent(snapshot, self.retained)
        points = (snapshot[self.retained] - centre) / radius
        return Pose(centre, _rotation(points, self.points.astype(np.float64)) / radius)


def reference_of(snapshot: np.ndarray, retained: np.ndarray, *, poses: bool = True) -> Reference:
    """Reference made of one snapshot (n, d); ``retained`` (n,) marks the samples that define it.

    Raises ValueError for what `check_features` refuses.
    """
    check_features(snapshot[np.newaxis], retained)
    centre, radius = _extent(snapshot, retained)
    points = ((snapshot - centre) / radius)[retained].astype(np.float16)
    return Reference(retained.copy(), points, centre.astype(np.float32), radius, poses)


def displacement(features: np.ndarray, retained: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Distance (T, n) of every sample from where it was in snapshot 0: no map can fake it.

    ``features`` (T, n, d) are aligned on the ``retained`` (n,) samples first. The unit is the mean
    distance between the centres of the retained classes in snapshot 0: at 1 a sample has gone
    as far as from one class to another. ``labels`` (n,) are the true classes.
    Raises ValueError with fewer than two retained classes, and as `Reference.align` does.
    """
    aligned = reference_of(features[0], retained).align(features)
    unit = class_distance(aligned[0][retained], labels[retained])
    if unit is None:
        raise ValueError("The unit of displacement needs at least two retained classes.")
    moved = np.linalg.norm(aligned - aligned[0], axis=2)
    return np.asarray(moved / unit if unit > 0 else np.zeros_like(moved))


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


def _extent(snapshot: np.ndarray, retained: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (d,) of the retained samples and their root-mean-square radius around it."""
    points = snapshot[retained].astype(np.float64)
    centre = points.mean(axis=0)
    from_origin = np.sqrt(np.square(points).sum(axis=1).mean())
    radius = float(np.sqrt(np.square(points - centre).sum(axis=1).mean()))
    # Dividing a collapsed snapshot by its radius would blow rounding noise up to a cloud
    return centre, radius if radius > COLLAPSED * from_origin else 1.0


def _rotation(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Orthogonal (d, d) that brings ``points`` X (m, d) onto ``target`` Y (m, d).

    Orthogonal Procrustes (Schönemann 1966): R = argmin |X R - Y| over orthogonal R is the polar
    factor U V' of X'Y = U S V'. Distances inside a snapshot keep their proportions, so its
    nearest neighbours do not change.
    """
    cross = points.T @ target
    # Without this, dead units would be rotated at random by rounding errors
    cross += STAY * np.linalg.norm(cross) * np.eye(len(cross))
    left, _, right = np.linalg.svd(cross)
    return np.asarray(left @ right)
