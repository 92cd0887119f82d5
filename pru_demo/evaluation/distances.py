"""How far apart samples and classes lie in feature space, where no map can deceive.

Plain numpy. Points (n, d) may come in half precision, as records keep features: distances from a
centre are computed in float64.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]
Classes = NDArray[np.integer]

# The centre of fewer samples says more about them than about a cluster.
LEAST_MEMBERS = 5


def class_centres(points: Points, classes: Classes) -> tuple[Classes, Points, NDArray[np.intp]]:
    """The classes that there are (c,), ascending; their centres (c, d) in the precision of
    ``points`` (n, d); and which of them each point belongs to, (n,)."""
    present, members = np.unique(classes, return_inverse=True)
    centres = [points[members == k].mean(axis=0) for k in range(len(present))]
    return present, np.stack(centres), members


def class_distance(points: Points, classes: Classes) -> float | None:
    """Mean distance between the centres of two classes; None if there are fewer than two.

    Of the retained classes, this is the unit of "moved" and of clusters: at 1, something is as far
    away as one class from another.
    """
    if len(np.unique(classes)) < 2:
        return None
    _, centres, _ = class_centres(points, classes)
    apart = np.linalg.norm(centres[:, np.newaxis] - centres, axis=2)
    return float(apart[np.triu_indices(len(centres), 1)].mean())


def n_dist(features: Points, labels: Classes) -> NDArray[np.float64]:
    """Eq. 7 for forgotten samples (n, d): nDist_i = ‖e_i − o_f‖ / mean_j ‖e_j − o_f‖, (n,).

    o_f is the centre of the sample's *own* class and j runs over that class, so several forgotten
    classes do not measure their distance to each other. The mean over a class is 1 by definition
    (Figure 4 of the paper shows mostly values below 0.5: it cannot be Eq. 7 as printed). Features
    that all coincide are at the mean distance too: 1. Features that are no numbers have none: NaN.
    """
    distances, members = _to_own_centre(features, labels)
    means = (np.bincount(members, weights=distances) / np.bincount(members))[members]
    ratio: NDArray[np.float64] = np.divide(
        distances, means, out=np.ones_like(distances), where=means != 0
    )
    return ratio


def spread(features: Points, clusters: Classes) -> float:
    """Mean distance over all samples to the centre of the own cluster: what L_s (Eq. 4) pulls."""
    return float(_to_own_centre(features, clusters)[0].mean())


@dataclass(frozen=True)
class Clusters:
    """In units of the mean distance between the centres of the retained classes: in them, 1 is as
    far apart as two classes that the network was left with.

    ``between`` is the mean distance between the centres of the new clusters (L_o makes it large),
    ``within`` the mean distance of the samples to their centre (L_s makes it small). None: there
    are not two clusters, or the retained classes all coincide.
    """

    between: float | None
    within: float | None


def new_clusters(
    features: NDArray[np.float64], labels: Classes, destined: Classes, forgotten: NDArray[np.bool_]
) -> Clusters:
    """What L_o and L_s do: how far apart the forgotten samples' new clusters lie, and how tight.

    A sample's new cluster is ỹ, the class it is redistributed to (Eq. 2): ``destined`` (n,).
    ``features`` (n, d) are one snapshot's, ``labels`` (n,) the true classes, and ``forgotten`` (n,)
    marks the samples of forgotten ones. Clusters of fewer than five samples are left out.
    """
    unit = class_distance(features[~forgotten], labels[~forgotten])
    members = np.flatnonzero(forgotten)
    sizes = np.bincount(destined[members])
    members = members[sizes[destined[members]] >= LEAST_MEMBERS]
    between = class_distance(features[members], destined[members])
    if between is None or not unit:
        return Clusters(None, None)
    return Clusters(between / unit, spread(features[members], destined[members]) / unit)


def _to_own_centre(
    features: Points, clusters: Classes
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Distance (n,) of each sample to its cluster's centre, and which centre that is, (n,)."""
    points = features.astype(np.float64)
    _, centres, members = class_centres(points, clusters)
    return np.linalg.norm(points - centres[members], axis=1), members
