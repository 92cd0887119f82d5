"""Does a network still know the class? Attacks that a covered output does not fool.

A_f asks what a network answers; an attacker who holds the weights asks what its features tell. No
answer to that is 0: also Retrain, which never met the class, tells it from the others. So what they
say is read against Original, which knows all, and Retrain, which is par: ``evaluation.knowledge``.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pru_demo.data.samples import Samples
from pru_demo.evaluation.knowledge import DRAWS, SHOTS, KShotAUC
from pru_demo.evaluation.likeness import activations
from pru_demo.evaluation.loss_attack import NoAttack, rank_auc
from pru_demo.evaluation.observe import TestSet
from pru_demo.methods.step import ForgetSet
from pru_demo.models.predict import measuring
from pru_demo.models.split import SplitModel

Features = NDArray[np.floating]
Labels = NDArray[np.integer]

# Of the mean variance, added to the covariance: a direction that D_r_new never uses must not count
# without limit.
RIDGE = 0.01


def k_shot_auc(
    others: Features,
    of_class: Mapping[int, Features],
    test: Features,
    labels: Labels,
    *,
    seed: int,
    shots: Sequence[int] = SHOTS,
) -> dict[int, KShotAUC]:
    """How well k images of a class find all others of it, for each k of ``shots``.

    With μ and Σ of the features of D_r_new, ``others`` (n, d), and the mean m of k images of the
    class, drawn from ``of_class`` (its images in D_f_new, (m, d)), a sample is scored
    (Σ + λI)⁻¹(m − μ) · (e − μ), λ a hundredth of the mean variance: Fisher's direction, with no
    weight trained and no threshold to tune. The AUC is the chance that a test sample of the class
    scores higher than one of a class that nobody forgets; ``test`` (t, d) and ``labels`` (t,) are
    the test part's. Of several forgotten classes, the keys of ``of_class``, it is the mean.

    ``seed`` decides the ten draws, which are the same for every network; fewer images are among
    the more of the same draw. Raises NoAttack for features that are no numbers or all alike, and
    for a class without images.
    """
    _insist_on(others, of_class, test, labels)
    obstacles = {k: too_few(k, min(map(len, of_class.values()))) for k in shots}
    feasible = [k for k in shots if not obstacles[k]]
    middle = others.mean(0, dtype=np.float64)
    centred = others - middle
    covariance = centred.T @ centred / len(others)
    variance = float(covariance.trace()) / len(covariance)
    if variance == 0:
        raise NoAttack("this network's features of D_r_new are all alike")
    means = np.stack([_means_of_draws(each, feasible, seed) for each in of_class.values()])
    # One solution for all draws, and their scores as one product.
    ridge = RIDGE * variance * np.eye(len(covariance))
    directions = np.linalg.solve(covariance + ridge, (means - middle).reshape(-1, len(middle)).T)
    scores = ((test - middle) @ directions).reshape(len(test), *means.shape[:-1])
    kept = ~np.isin(labels, list(of_class))
    areas = np.zeros(means.shape[:-1])
    for place in np.ndindex(areas.shape):
        seen, forgotten = scores[:, *place], list(of_class)[place[0]]
        areas[place] = rank_auc(seen[kept], seen[labels == forgotten])
    found = dict(zip(feasible, areas.mean(0), strict=True))
    return {
        k: KShotAUC(float(found[k].mean()), float(found[k].std(ddof=1)))
        if k in found
        else KShotAUC(None, None, obstacles[k])
        for k in shots
    }


def attack_features(
    network: SplitModel, others: Samples, of_class: ForgetSet, test: TestSet, *, seed: int
) -> dict[int, KShotAUC]:
    """:func:`k_shot_auc` of a network by D_r_new, ``others``, and new images of the class.

    A result for every k of ``SHOTS``, also where there is nothing to attack with: ``reason`` says
    so.
    """
    material = (others, of_class, test)
    return _found([extract(network, each.images) for each in material], *material, SHOTS, seed)


def attack_blocks(
    network: SplitModel, others: Samples, of_class: ForgetSet, test: TestSet, *, k: int, seed: int
) -> dict[str, KShotAUC]:
    """The same by what every block sends on, averaged over the image: which still knows the class?

    By the names of :func:`pru_demo.evaluation.likeness.activations`, in network order.
    """
    material = (others, of_class, test)
    sent = [activations(network, each.images) for each in material]
    return {
        name: _found([each[name] for each in sent], *material, (k,), seed)[k] for name in sent[0]
    }


def _found(
    features: Sequence[Features],
    others: Samples,
    of_class: ForgetSet,
    test: TestSet,
    shots: Sequence[int],
    seed: int,
) -> dict[int, KShotAUC]:
    """:func:`k_shot_auc` on the features of the three, with a reason where there is no attack."""
    (e_others, e_of_class, e_test), labels = features, of_class.labels.cpu().numpy()
    by_class = {label: e_of_class[labels == label] for label in sorted(of_class.classes)}
    try:
        if len(torch.unique(others.labels)) < 2:
            raise NoAttack("D_r_new has images of one class only, so there are no others to tell")
        return k_shot_auc(
            e_others, by_class, e_test, test.labels.cpu().numpy(), seed=seed, shots=shots
        )
    except NoAttack as reason:
        return {k: KShotAUC(None, None, str(reason)) for k in shots}


@torch.inference_mode()
def extract(network: SplitModel, images: Tensor) -> NDArray[np.float32]:
    """Features e (n, d) of ``network`` in eval mode on uint8 images (n, C, H, W)."""
    if not len(images):
        return np.empty((0, network.classifier.in_features), np.float32)
    parts = [network.features(x).float() for x in measuring(network, images)]
    features: NDArray[np.float32] = torch.cat(parts).cpu().numpy()
    return features


def draws(count: int, seed: int) -> list[Labels]:
    """Ten orders of ``count`` images; k images are the first of an order, whatever the k."""
    random = np.random.default_rng(seed)
    return [random.permutation(count) for _ in range(DRAWS)]


def too_few(k: int, there: int) -> str:
    """Why ``k`` images of the class cannot be drawn, "" if they can; the end of a sentence."""
    return f"it takes {k} new images of the class, and there are only {there}" if k > there else ""


def _means_of_draws(images: Features, shots: Sequence[int], seed: int) -> NDArray[np.float64]:
    """Mean features (k, draws, d) of the first k images of each draw."""
    orders = draws(len(images), seed)
    return np.array(
        [[images[order[:k]].mean(0, dtype=np.float64) for order in orders] for k in shots]
    ).reshape(len(shots), DRAWS, images.shape[1])


def _insist_on(
    others: Features, of_class: Mapping[int, Features], test: Features, labels: Labels
) -> None:
    if not of_class or not all(map(len, of_class.values())):
        raise NoAttack("there are no new images of the class to attack with")
    if not all(np.isfinite(each).all() for each in (others, test, *of_class.values())):
        raise NoAttack("the features of this network are no numbers")
    for forgotten in of_class:
        if not (labels == forgotten).any() or np.isin(labels, list(of_class)).all():
            raise NoAttack("the test part lacks images of the class, or of all others")
