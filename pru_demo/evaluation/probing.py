"""Could a new classifier still find the forgotten class in what the extractor sees?

Plain numpy; scikit-learn is imported where a probe is fitted. Features (n, d) may come in half
precision, as records keep them: everything is computed in float64.
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
