"""How alike two networks answer; mostly the unlearned one and Retrain, which never met the class.

Plain numpy. Probabilities p are (n, K), in 0..1, of the same n samples for both networks.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from pru_demo.evaluation.destinations import destinations

Probabilities = NDArray[np.floating]


def js_divergence(
    confusion: NDArray[np.integer], reference: NDArray[np.integer], forget: Collection[int]
) -> float:
    """Jensen–Shannon divergence in nats between where two networks send the forgotten samples.

    From (K, K) counts, as :func:`destinations.kl_divergence`, but symmetric, bounded by ln 2
    and defined with empty bins, so nothing needs smoothing.
    """
    s, s_re = (destinations(counts, list(forget)) for counts in (confusion, reference))
    return float(_jensen_shannon(s, s_re))


def agreement(predicted: NDArray[np.integer], reference: NDArray[np.integer]) -> float:
    """Share (0..1) of samples (n,) to which both networks give the same class.

    Called completeness when the reference is Retrain (Cao & Yang 2015).
    """
    return float((predicted == reference).mean())


def activation_distance(p_un: Probabilities, p_re: Probabilities) -> float:
    """Mean over samples of ‖p_un − p_re‖₂, from 0 to √2."""
    return float(np.linalg.norm(p_un.astype(np.float64) - p_re, axis=1).mean())


def zrf(p_un: Probabilities, p_random: Probabilities) -> float:
    """Zero retrain forgetting (Chundawat et al., AAAI 2023): 1 − mean_i JS(p_un, p_random) on D_f.

    ``p_random`` is of a network with fresh weights. 1: answers like one that never learned
    anything; the least is 1 − ln 2. The formula of the paper: its code has KL the wrong way round
    and divides by K as well.
    """
    return float(1 - _jensen_shannon(p_un.astype(np.float64), p_random.astype(np.float64)).mean())


def ou_epsilon(p_un: Probabilities, p_masked: Probabilities) -> float:
    """OU@ε (Ha et al., ICML 2026), over-unlearning: mean_i JS(p_masked, p_un) in nats.

    On adversarial neighbours within ε of D_f; ``p_masked`` is what the original would answer if it
    could not name the forgotten classes (Eq. 1–2). From 0, what lies next to the class is answered
    as before, to ln 2.
    """
    return float(_jensen_shannon(p_masked.astype(np.float64), p_un.astype(np.float64)).mean())


def masked_accuracy(
    scores: NDArray[np.floating], labels: NDArray[np.integer], forget: Collection[int]
) -> float:
    """A_r in percent if the network could not answer with a forgotten class.

    The gap to A_r is what is lost by retained samples that are called by a forgotten name.
    ``scores`` (n, K) are logits, or probabilities in float32 or better: half precision may leave
    no others to choose among. Rows whose label (n,) is forgotten do not count.
    """
    classes = list(forget)
    allowed = scores.copy()
    allowed[:, classes] = -np.inf
    hits = allowed.argmax(1) == labels
    return 100 * float(hits[~np.isin(labels, classes)].mean())


def forgotten_probability(p: Probabilities, forget: Collection[int]) -> dict[str, float]:
    """Over forgotten samples: the probability (0..1) that all forgotten classes together get."""
    p_f = p[:, list(forget)].sum(1, dtype=np.float64)
    return {"mean": float(p_f.mean()), "maximum": float(p_f.max())}


def _jensen_shannon(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """½ KL(p ‖ m) + ½ KL(q ‖ m) with m = ½ (p + q), in nats, over the last axis."""
    m = (p + q) / 2
    divergence: NDArray[np.float64] = (_relative_entropy(p, m) + _relative_entropy(q, m)) / 2
    return divergence


def _relative_entropy(p: NDArray[np.float64], m: NDArray[np.float64]) -> NDArray[np.float64]:
    # 0 · log 0 = 0; and where p > 0, so is m.
    ratio = np.divide(p, m, out=np.ones_like(p), where=p > 0)
    total: NDArray[np.float64] = (p * np.log(ratio)).sum(-1)
    return total
