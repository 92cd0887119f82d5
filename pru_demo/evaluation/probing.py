"""Does the extractor still see the forgotten class? Measured in feature space, not on a map.

Plain numpy; scikit-learn is imported where a probe is fitted. Features (n, d) may come in half
precision, as records keep them: everything is computed in float64.

What L_o and L_s do: how far apart the forgotten samples' new clusters lie, and how tight.

Plain numpy. A sample's new cluster is ỹ, the class it is redistributed to (Eq. 2).
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating]
Labels = NDArray[np.integer]

NEIGHBOURS = 10
_NOBODY = -1  # no class


@dataclass(frozen=True)
class Probe:
    """Test accuracy in percent of a *new* classifier on a frozen extractor.

    ``A_f`` on the forgotten classes, whose labels the probe was given, ``A_r`` on the others. To
    be compared with Retrain's: an extractor that never met a 9 still tells it from the others.
    """

    A_f: float
    A_r: float


def n_dist(features: Features, labels: Labels) -> NDArray[np.float64]:
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


def still_recognised(predicted: Labels, labels: Labels) -> float:
    """Share (0..1) of forgotten samples (n,) that the network still calls by their name."""
    return float((predicted == labels).mean())


def centre_distances(features: Features, clusters: Labels) -> NDArray[np.float64]:
    """(K', K') distances between cluster centres, clusters ascending: what L_o (Eq. 3) pushes."""
    centres, _ = _centres(features, clusters)
    distances: NDArray[np.float64] = np.linalg.norm(centres[:, np.newaxis] - centres, axis=2)
    return distances


def spread(features: Features, clusters: Labels) -> float:
    """Mean distance over all samples to the centre of the own cluster: what L_s (Eq. 4) pulls."""
    return float(_to_own_centre(features, clusters)[0].mean())


def linear_probe(
    train_features: Features,
    train_labels: Labels,
    test_features: Features,
    test_labels: Labels,
    forget: Collection[int],
    seed: int,
) -> Probe:
    """Could a new linear classifier still find the forgotten classes?

    Logistic regression (L2, C = 1, every class of equal weight) on features of *all* classes,
    standardised by the training mean and deviation. ``seed`` is for scikit-learn; its lbfgs solver
    draws nothing.
    """
    predicted = _linear_answers(train_features, train_labels, test_features, seed)
    return _judge(predicted, test_labels, forget)


def crossed_probe(features: Features, labels: Labels, forget: Collection[int], seed: int) -> Probe:
    """The same question asked of test samples (n, d) alone: each half is judged by the other's.

    Every other sample of each class makes up a half, so no sample is judged by a classifier that
    has seen it. Needs features at a snapshot, but neither its network nor training images. Where
    the other half has fewer than two classes to tell apart, nobody is found.
    """
    odd = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        odd[np.flatnonzero(labels == label)[1::2]] = True
    predicted = np.full(len(labels), _NOBODY)
    for judged in (odd, ~odd):
        if judged.any() and len(np.unique(labels[~judged])) > 1:
            predicted[judged] = _linear_answers(
                features[~judged], labels[~judged], features[judged], seed
            )
    return _judge(predicted, labels, forget)


def knn_probe(
    train_features: Features,
    train_labels: Labels,
    test_features: Features,
    test_labels: Labels,
    forget: Collection[int],
) -> Probe:
    """Would the ten nearest training samples find them by vote?

    Features are not standardised: these are the distances that L_o and L_s work on, and classes
    need not be linearly separable to be found.
    """
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(n_neighbors=NEIGHBOURS)
    model.fit(train_features.astype(np.float64), train_labels)
    return _judge(model.predict(test_features.astype(np.float64)), test_labels, forget)


def _linear_answers(
    train_features: Features, train_labels: Labels, test_features: Features, seed: int
) -> Labels:
    """What logistic regression makes of the test features (m, d), (m,)."""
    from sklearn.linear_model import LogisticRegression

    train = train_features.astype(np.float64)
    middle, scale = train.mean(0), train.std(0)
    # Not "deviation 0": rounding of the mean gives a constant feature a deviation of 1e-17.
    scale[np.ptp(train, axis=0) == 0] = 1
    model = LogisticRegression(
        C=1.0, solver="lbfgs", max_iter=300, random_state=seed, class_weight="balanced"
    )
    model.fit((train - middle) / scale, train_labels)
    answers: Labels = model.predict((test_features - middle) / scale)
    return answers


def _judge(predicted: Labels, labels: Labels, forget: Collection[int]) -> Probe:
    hits, forgotten = predicted == labels, np.isin(labels, list(forget))
    return Probe(100 * float(hits[forgotten].mean()), 100 * float(hits[~forgotten].mean()))


def _to_own_centre(
    features: Features, clusters: Labels
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Distance (n,) of each sample to its cluster's centre, and which centre that is, (n,)."""
    centres, members = _centres(features, clusters)
    return np.linalg.norm(features - centres[members], axis=1), members


def _centres(features: Features, clusters: Labels) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Centres (K', d) in ascending order of the clusters, and the row of each sample's, (n,)."""
    present, members = np.unique(clusters, return_inverse=True)
    rows = [features[members == k].mean(0, dtype=np.float64) for k in range(len(present))]
    return np.stack(rows), members


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
