"""Which images a network learns from, is tuned on, forgets, relearns, and which pages follow.

The published experiments split the training part 64/16/20 (``docs/methods.md``, "Splits"):
``train`` makes the original and the retrained model, ``validation`` chooses parameters, ``new``
stands for data that arrives after deployment. One shuffle per trial decides, seeded with 7 + trial.
Of the test part some samples are fixed, which every page follows through all snapshots.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

SHOWN_SAMPLES = 1500
FORGOTTEN_SHARE = 0.4


@dataclass(frozen=True)
class Split:
    """Disjoint index sets into the training part of a data set."""

    train: Indices
    validation: Indices
    new: Indices


def trial_split(size: int, seed: int) -> Split:
    """Split ``size`` samples 64/16/20 as the released code does for the trial of ``seed``.

    Uses numpy's legacy generator on purpose: only it reproduces the published split.
    """
    order = np.arange(size)
    np.random.RandomState(seed).shuffle(order)
    request = size * 8 // 10
    train = request * 8 // 10
    return Split(order[:train], order[train:request], order[request:])


def of_classes(labels: NDArray[np.uint8], indices: Indices, classes: Collection[int]) -> Indices:
    """The part of ``indices`` whose label is in ``classes``, order kept: D_f, D_f_new."""
    return indices[np.isin(labels[indices], list(classes))]


def not_of_classes(
    labels: NDArray[np.uint8], indices: Indices, classes: Collection[int]
) -> Indices:
    """The part of ``indices`` whose label is not in ``classes``, order kept: D_r, D_r_new."""
    return indices[~np.isin(labels[indices], list(classes))]


def relearning_split(d_r_new: Indices, seed: int) -> tuple[Indices, Indices]:
    """D_r_new in two, 80 % to relearn from and 20 % held out.

    The released code redraws this for every method, so that methods see different data; ours
    depends on the scenario only (``docs/methods.md``, "Relearning").
    """
    order = np.random.default_rng([seed, 80]).permutation(d_r_new)
    cut = len(order) * 8 // 10
    return order[:cut], order[cut:]


def fixed_samples(labels: NDArray[np.uint8], forget: Collection[int]) -> NDArray[np.int32]:
    """Up to ``SHOWN_SAMPLES`` indices into the test part, the same for every run of a scenario.

    The first images of each class in the order of the data set: ``FORGOTTEN_SHARE`` of them are of
    the forgotten classes, the rest is balanced over the others.
    """
    classes = np.unique(labels)
    forgotten = [c for c in classes if c in forget]
    retained = [c for c in classes if c not in forget]
    quota_f = round(SHOWN_SAMPLES * FORGOTTEN_SHARE) // len(forgotten)
    quota_r = round(SHOWN_SAMPLES * (1 - FORGOTTEN_SHARE)) // len(retained)
    parts = [np.flatnonzero(labels == c)[:quota_f] for c in forgotten]
    parts += [np.flatnonzero(labels == c)[:quota_r] for c in retained]
    return np.concatenate(parts).astype(np.int32)
