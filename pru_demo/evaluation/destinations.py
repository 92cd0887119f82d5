"""Where the forgotten samples go, as the network answers and as Eq. 1–2 redistribute them.

Histograms of hard predictions are ``S`` in Figure 5 of the paper. Plain numpy; probabilities in
0..1.
"""

import numpy as np
from numpy.typing import NDArray

Histogram = NDArray[np.float64]

# The paper prints finite distances although Retrain's histogram always has an empty bin, so it
# must smooth, but does not say how.
SMOOTHING = 0.5

# A ten-thousandth is still resolved to better than a tenth of a percent.
LEAST_REMAINDER = 1e-4


def destinations(confusion: NDArray[np.integer], forget: list[int]) -> Histogram:
    """Share of the forgotten classes' test samples predicted as each class, from (K, K) counts."""
    counts = confusion[forget].sum(0).astype(np.float64)
    shares: Histogram = counts / counts.sum()
    return shares


def kl_divergence(
    confusion: NDArray[np.integer], reference: NDArray[np.integer], forget: list[int]
) -> float:
    """D_KL(S ‖ S_re) in nats between two (K, K) counts, each smoothed by ``SMOOTHING`` per bin."""
    s, s_re = (_smoothed(counts[forget].sum(0)) for counts in (confusion, reference))
    return float((s * np.log(s / s_re)).sum())


def redistributed(probabilities: NDArray[np.floating], forget: list[int]) -> Histogram:
    """Eq. 1–2 on probabilities (n, K): p̃, the forgotten share handed to the others in proportion.

    For showing; losses work on logits, where it stays exact (``methods.losses``). Raises
    ValueError for a row that leaves nothing to the others: see :func:`resolvable`.
    """
    kept = _others(probabilities, forget)
    totals = kept.sum(1, keepdims=True)
    if not totals.all():
        raise ValueError("All probability is on the forgotten classes: nothing to share out by.")
    shares: Histogram = kept / totals
    return shares


def resolvable(probabilities: NDArray[np.floating], forget: list[int]) -> NDArray[np.bool_]:
    """(n,) which rows (n, K) leave enough to the others to tell their proportions.

    Probabilities are stored in half precision, whose smallest steps are 6e-8.
    """
    clear: NDArray[np.bool_] = _others(probabilities, forget).sum(1) >= LEAST_REMAINDER
    return clear


def _others(probabilities: NDArray[np.floating], forget: list[int]) -> Histogram:
    kept = probabilities.astype(np.float64).copy()
    kept[:, forget] = 0
    return kept


def _smoothed(counts: NDArray[np.integer]) -> Histogram:
    shares: Histogram = (counts + SMOOTHING) / (counts.sum() + SMOOTHING * len(counts))
    return shares
