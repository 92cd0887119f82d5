"""From what a network answers at every snapshot to the arrays of a record. Plain numpy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pru_demo.runs.record import TOP


def record_arrays(
    shown: NDArray[np.integer],
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    confusion: NDArray[np.integer],
    *,
    forget: Sequence[int],
    unlearned: int,
) -> dict[str, NDArray[Any]]:
    """The arrays that every record has, as :class:`RunRecord` describes them.

    ``shown``, ``labels`` (n,); ``probabilities`` (T, n, K) of the shown samples; ``confusion``
    (T, K, K). ``unlearned`` is the position of the snapshot right after unlearning.
    """
    classes = list(forget)
    top = np.argsort(-probabilities, axis=2, kind="stable")[:, :, :TOP]
    return {
        "shown": shown,
        "labels": labels,
        "predicted": probabilities.argmax(2).astype(np.uint8),
        "p_f": probabilities[:, :, classes].sum(2).astype(np.float16),
        "top": top.astype(np.uint8),
        "p_top": np.take_along_axis(probabilities, top, 2).astype(np.float16),
        "destined": _destined(probabilities[0], classes),
        "confusion": confusion,
        "p_original": probabilities[0].astype(np.float16),
        "p_unlearned": probabilities[unlearned].astype(np.float16),
    }


def control_arrays(
    probabilities: NDArray[np.floating], forget: Sequence[int]
) -> dict[str, NDArray[Any]]:
    """The arrays of the BatchNorm-only control, from its probabilities (n, K)."""
    return {
        "control_predicted": probabilities.argmax(1).astype(np.uint8),
        "control_p_f": probabilities[:, list(forget)].sum(1).astype(np.float16),
    }


def _destined(p: NDArray[np.floating], forget: list[int]) -> NDArray[np.uint8]:
    """ỹ (n,): the class most likely under the original, p (n, K), once ``forget`` is left out."""
    others = p.copy()
    others[:, forget] = -1
    destined: NDArray[np.uint8] = others.argmax(1).astype(np.uint8)
    return destined
