"""Can an attacker tell from the loss which images the network was trained on?

The loss-based membership inference of SCRUB (Kurmanji et al. 2023): when a whole class is to be
forgotten, only test images of the *same* class are a fair comparison with D_f.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Losses = NDArray[np.floating]

FOLDS = 5

# A network that diverged must not decide alone where the attacker draws the line. The limit is the
# one in SCRUB's paper; the notebook published with it has 100.
LARGEST_LOSS = 400.0


class NoAttack(ValueError):
    """There is nothing to attack with; the message says why, as the end of a sentence."""


@dataclass(frozen=True)
class Membership:
    """How well training samples are told from test samples of the same classes.

    ``accuracy`` (0..1) of the attacker's classifier and ``auc`` (0..1), the chance that a training
    sample has a smaller loss than a test sample. 0.5: cannot tell. Compare both with *Retrain's*
    values, not with 0 or 1: a network that gives its training samples an unusually *large* loss
    betrays them just as well. ``per_side`` samples of each kind trained the classifier.
    """

    accuracy: float
    auc: float
    per_side: int


def loss_attack(trained: Losses, unseen: Losses, seed: int) -> Membership:
    """Attack by the losses of D_f's training samples (n,) and of test samples (m,) like them.

    Both sides are brought to the same size by drawing at random; each fold in turn is judged by
    logistic regression on the others (SCRUB's notebook draws five random tenths instead). Losses
    are not standardised, as in SCRUB, so the accuracy is blind to differences below about 1e-4;
    the AUC, over all samples, is not. Raises NoAttack for NaN and for fewer than five a side.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    if np.isnan(trained).any() or np.isnan(unseen).any():
        raise NoAttack("the losses of this network are no numbers")
    size = min(len(trained), len(unseen))
    if size < FOLDS:
        raise NoAttack(f"it takes {FOLDS} images of each kind, and there are only {size} of one")
    random = np.random.default_rng(seed)
    chosen = [random.choice(side, size, replace=False) for side in (trained, unseen)]
    losses = np.clip(np.concatenate(chosen), -LARGEST_LOSS, LARGEST_LOSS)
    member = np.repeat([1, 0], size)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    scores = cross_val_score(LogisticRegression(), losses[:, np.newaxis], member, cv=folds)
    return Membership(float(scores.mean()), rank_auc(trained, unseen), size)


def rank_auc(trained: Losses, unseen: Losses) -> float:
    """Area under the ROC curve of −loss (Mann–Whitney): ties count half."""
    ordered = np.sort(unseen)
    # Rank of every training sample among the others; tied, it lies in the middle of its equals.
    below, up_to = (np.searchsorted(ordered, trained, side) for side in ("left", "right"))
    return float(1 - (below + up_to).mean() / (2 * len(unseen)))
