"""The fixed test samples that every page follows through all snapshots."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

SIZE = 1500
FORGOTTEN_SHARE = 0.4


def fixed_samples(labels: NDArray[np.uint8], forget: Collection[int]) -> NDArray[np.int32]:
    """Up to 1,500 indices into the test part, the same for every run of a scenario.

    The first images of each class in the order of the data set: 40 % of the samples are of the
    forgotten classes, the rest is balanced over the others.
    """
    classes = np.unique(labels)
    forgotten = [c for c in classes if c in forget]
    retained = [c for c in classes if c not in forget]
    quota_f = round(SIZE * FORGOTTEN_SHARE) // len(forgotten)
    quota_r = round(SIZE * (1 - FORGOTTEN_SHARE)) // len(retained)
    parts = [np.flatnonzero(labels == c)[:quota_f] for c in forgotten]
    parts += [np.flatnonzero(labels == c)[:quota_r] for c in retained]
    return np.concatenate(parts).astype(np.int32)
