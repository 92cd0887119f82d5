"""The losses of Perception Revising Unlearning, Eq. 1–5, as pure functions.

Notation of the paper: z logits of the original model, s logits of the model that forgets,
p̃ the redistributed probabilities, ỹ their argmax (the new cluster of a sample), e features.
Everything here is computed in the precision of its input; call it in float32 or better, because
half precision loses p̃ already at logit gaps of 15 (``docs/methods.md``, "Numerics").
"""

from collections.abc import Collection
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Averaging = Literal["macro", "micro"]
EPSILON_L_O = 1e-6


def redistribute(logits: Tensor, forget: Collection[int]) -> Tensor:
    """Eq. 1 and 2: share out the forgotten classes' probability over the others.

    Logits (B, K) → p̃ (B, K), rows sum to 1, forgotten columns exactly 0. Both equations together
    are ``softmax`` with the forgotten classes masked, which is exact where the literal form
    divides zero by zero.
    """
    return mask_classes(logits, forget).softmax(dim=1)


def mask_classes(logits: Tensor, classes: Collection[int]) -> Tensor:
    """Logits (B, K) with the columns of ``classes`` at minus infinity."""
    columns = torch.tensor(sorted(classes), device=logits.device)
    return logits.index_fill(1, columns, -torch.inf)


def l_p(logits: Tensor, targets: Tensor, epsilon: float = 0.0) -> Tensor:
    """Eq. 5: KL(p̃ ‖ p̂), summed over classes, mean over the batch.

    ``epsilon`` > 0 gives the released code's ``log(p̂ + ε)``, which loses the gradient of confident
    samples; 0 is the exact logarithm. Logits s and targets p̃ are (B, K).
    """
    log_p = (logits.softmax(1) + epsilon).log() if epsilon else logits.log_softmax(1)
    return F.kl_div(log_p, targets, reduction="batchmean")


def l_o(features: Tensor, clusters: Tensor) -> Tensor | None:
    """Eq. 3: push clusters apart: 1 / (mean distance of the batch's cluster centres + ε).

    Features (B, d), clusters ỹ (B,). None when the batch has fewer than two clusters: there is
    nothing to push, and the formula would return 10⁶ without a gradient.
    """
    members = F.one_hot(torch.unique(clusters, return_inverse=True)[1]).to(features.dtype)
    if members.shape[1] < 2:
        return None
    centres = members.T @ features / members.sum(0).unsqueeze(1)
    return 1 / (F.pdist(centres).mean() + EPSILON_L_O)


def l_s(features: Tensor, clusters: Tensor, averaging: Averaging = "macro") -> Tensor | None:
    """Eq. 4: pull the members of a cluster together: mean distance of same-cluster pairs.

    ``macro`` averages within each cluster first (released code), ``micro`` pools all pairs
    (Eq. 4 to the letter). Features (B, d), clusters ỹ (B,). None when no cluster has two members.
    """
    distances = [
        F.pdist(features[clusters == cluster])
        for cluster, size in zip(*torch.unique(clusters, return_counts=True), strict=True)
        if size > 1
    ]
    if not distances:
        return None
    if averaging == "micro":
        return torch.cat(distances).mean()
    return torch.stack([d.mean() for d in distances]).mean()
