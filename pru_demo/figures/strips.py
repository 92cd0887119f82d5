"""Which of the shown images stand for what a page says of all, and in what order.

An image is given by its position in the test part. Plain numpy.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pru_demo.evaluation.destinations import Histogram, redistributed, resolvable
from pru_demo.experiment.record import RunRecord


@dataclass(frozen=True)
class Comeback:
    """What a network recognises again while it relearns.

    ``kept``, ``back``: percent of the shown forgotten samples that were never forgotten, and that
    came back; ``images``: which those are, with the epoch since when, the first to come first.
    """

    kept: float
    back: float
    images: list[tuple[int, int]]


@dataclass(frozen=True)
class EquationSamples:
    """Forgotten samples whose redistribution can be told, the least certain of its class first.

    ``shown`` (n,) the images, ``labels`` (n,); ``before``, ``after`` (n, K): the original's
    probabilities p, and p̃ of Eq. 1-2; ``undecided`` the position of the one nearest to even odds.
    """

    shown: NDArray[np.integer]
    labels: NDArray[np.integer]
    before: NDArray[np.floating]
    after: Histogram
    undecided: int


def taken_for(record: RunRecord, *, classes: int, each: int) -> dict[int, list[int]]:
    """The ``classes`` that most forgotten samples are taken for right after unlearning, and up to
    ``each`` images of those that are, the surest first."""
    forgotten = np.flatnonzero(record.forgotten)
    predicted = record.arrays["predicted"][record.unlearned][forgotten]
    answers = record.arrays["p_unlearned"][forgotten]
    surest = np.argsort(-answers.max(axis=1), kind="stable")
    images = record.arrays["shown"][forgotten]
    counts = np.bincount(predicted, minlength=answers.shape[1])
    return {
        int(target): images[surest[predicted[surest] == target][:each]].tolist()
        for target in np.argsort(-counts)[:classes]
    }


def comeback(record: RunRecord, epoch: int) -> Comeback:
    """What has come back by ``epoch`` of relearning; no images of a network that forgot nothing."""
    forgotten = np.flatnonzero(record.forgotten)
    path = record.arrays["predicted"][[record.unlearned, *record.stage("relearn")]][:, forgotten]
    recognised = path == record.arrays["labels"][forgotten]
    back = np.flatnonzero(recognised[: epoch + 1].any(axis=0) & ~recognised[0])
    since = recognised.argmax(axis=0)[back]
    order = np.argsort(since, kind="stable")
    images = record.arrays["shown"][forgotten[back]]
    return Comeback(
        kept=100 * float(recognised[0].mean()),
        back=100 * len(back) / len(forgotten),
        images=[]
        if record.config.pick.method == "original"
        else [(int(images[i]), int(since[i])) for i in order],
    )


def equation_samples(record: RunRecord) -> EquationSamples | None:
    """All of ``record`` but those so sure that the stored precision no longer tells what is left to
    the other classes; None: all are."""
    forget = list(record.config.scenario.forget)
    forgotten = np.flatnonzero(record.forgotten)
    forgotten = forgotten[resolvable(record.arrays["p_original"][forgotten], forget)]
    if not len(forgotten):
        return None
    certainty = record.arrays["p_original"][forgotten][:, forget].sum(axis=1)
    order = np.argsort(certainty, kind="stable")
    samples = forgotten[order]
    p = record.arrays["p_original"][samples]
    return EquationSamples(
        shown=record.arrays["shown"][samples],
        labels=record.arrays["labels"][samples],
        before=p,
        after=redistributed(p, forget),
        undecided=int(np.abs(certainty[order] - 0.5).argmin()),
    )
