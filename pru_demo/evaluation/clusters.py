"""What L_o and L_s do: how far apart the forgotten samples' new clusters lie, and how tight.

Plain numpy. A sample's new cluster is ỹ, the class it is redistributed to (Eq. 2).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pru_demo.evaluation.perception import Features, Labels, centre_distances, spread

# The centre of fewer samples says more about them than about a cluster.
LEAST_MEMBERS = 5


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
    features: Features, labels: Labels, destined: Labels, forgotten: NDArray[np.bool_]
) -> Clusters:
    """Measure one snapshot's features (n, d).

    ``labels`` (n,) are the true classes, ``destined`` (n,) is ỹ and ``forgotten`` (n,) bool marks
    the samples of forgotten classes. Clusters of fewer than five samples are left out.
    """
    unit = _mean_distance(features[~forgotten], labels[~forgotten])
    members = np.flatnonzero(forgotten)
    sizes = np.bincount(destined[members])
    members = members[sizes[destined[members]] >= LEAST_MEMBERS]
    if len(np.unique(destined[members])) < 2 or not unit:
        return Clusters(None, None)
    chosen, clusters = features[members], destined[members]
    between = _mean_distance(chosen, clusters)
    assert between is not None
    return Clusters(between / unit, spread(chosen, clusters) / unit)


def _mean_distance(features: Features, clusters: Labels) -> float | None:
    """Mean distance between the centres; None if there is only one."""
    distances: NDArray[np.float64] = centre_distances(features, clusters)
    pairs = distances[np.triu_indices(len(distances), 1)]
    return float(pairs.mean()) if pairs.size else None
