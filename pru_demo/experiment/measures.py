"""What the finer instruments say of a stored run beyond what pages show: for files and tables.

Probes in its features at every kept epoch, its answers next to the forgotten class, relearning
with BatchNorm frozen, attacks on its weights, and the way to Retrain. None is what cannot be
measured, as in ``experiment.inside``.
"""

from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from pru_demo.config import Scenario, relearning_of
from pru_demo.data.splits import of_classes
from pru_demo.evaluation import agreement, destinations, probing
from pru_demo.evaluation.distances import n_dist
from pru_demo.evaluation.likeness import linear_cka
from pru_demo.evaluation.observe import Observation, TestSet, observe
from pru_demo.evaluation.relearning import comeback, relearn
from pru_demo.evaluation.weight_attacks import rounded, straight_line
from pru_demo.experiment.inside import Bench, Tell
from pru_demo.experiment.material import labels_and_split, training_images
from pru_demo.methods.losses import redistribute
from pru_demo.methods.neighbours import neighbours
from pru_demo.methods.references import reinitialised
from pru_demo.models.predict import predict
from pru_demo.models.split import SplitModel, has_batch_norm
from pru_demo.parameters import SpotterParams

# Enough for a stable probe of a hundred features, and seconds to fit.
PROBE_IMAGES = 2000
# The straight line from the original is looked at in ten steps, weights at these bits.
LINE_STEPS, BITS = 10, (8, 4, 2)
# Relearning once more takes most of the time.
_RELEARNING = 0.3


def measure(bench: Bench, tell: Tell) -> dict[str, Any]:
    """Everything that is not shown, as JSON; accuracies in percent, distances in nats."""
    test, probe = bench.material.test, probe_images(bench.material.scenario)
    original = observe(bench.original, test)
    retrained = None if bench.retrained is None else observe(bench.retrained, test)
    observed, features = dict[int, Observation](), {}
    for place, (epoch, network) in enumerate(bench.networks.items()):
        share = _RELEARNING * place / len(bench.networks)
        tell("Looking for the class in its features", share)
        observed[epoch] = observe(network, test)
        features[str(epoch)] = _features(
            network, observed[epoch], probe, bench, original, retrained
        )
    seen = observed[0]  # right after unlearning
    came_back = asdict(comeback(bench.record.relearning("A_f")))
    return {
        "test_part": _test_part(seen, bench),
        "ou_epsilon": _ou_epsilon(bench),
        "features": features,
        "relearning": {
            "comeback": _if_it_answers(came_back, seen),
            "batch_norm_frozen": _frozen(bench, tell),
        },
        "weights": _if_it_answers(_weights(bench), seen),
        "against_retrain": None if retrained is None else _distances(seen, retrained, bench),
    }


def probe_images(scenario: Scenario) -> TestSet:
    """Training images of all classes, the forgotten ones too: the first of each class in the part
    that trained the original."""
    labels, split = labels_and_split(scenario)
    classes = np.unique(labels)
    each = PROBE_IMAGES // len(classes)
    chosen = np.concatenate([of_classes(labels, split.train, [c])[:each] for c in classes])
    images, truth = training_images(scenario, chosen)
    rows = torch.arange(len(chosen), device=images.device)
    return TestSet(images, truth, rows, chosen.astype(np.int32))


def _if_it_answers(numbers: dict[str, Any], *seen: Observation) -> dict[str, Any]:
    """``numbers``, or None for each of them where a network's outputs are no numbers."""
    return dict.fromkeys(numbers) if any(each.diverged for each in seen) else numbers


def _test_part(seen: Observation, bench: Bench) -> dict[str, Any]:
    """What the unlearned network answers to images that it has never seen."""
    test, forgotten = bench.material.test, bench.material.forgotten
    scenario = bench.material.scenario
    logits = predict(bench.unlearned, test.images).cpu().numpy()
    # The same network that has learned nothing.
    empty = observe(reinitialised(bench.original, scenario.seed), test)
    p, p_empty = seen.probabilities[forgotten], empty.probabilities[forgotten]
    numbers = {
        "masked_A_r": agreement.masked_accuracy(logits, test.labels.cpu().numpy(), scenario.forget),
        "p_f": agreement.forgotten_probability(p, scenario.forget),
        "ZRF": agreement.zrf(p, p_empty),
    }
    return _if_it_answers(numbers, seen)


def _ou_epsilon(bench: Bench) -> dict[str, float | None]:
    """Over-unlearning next to the images to forget, within the ε that Spotter published."""
    published, forget = SpotterParams(), bench.material.forget
    near = neighbours(
        bench.original,
        forget,
        epsilon=published.epsilon,
        step=published.pgd_step,
        steps=published.pgd_steps,
    )
    p_masked = redistribute(predict(bench.original, near), forget.classes).cpu().numpy()
    p_un = predict(bench.unlearned, near).softmax(1).cpu().numpy()
    js = agreement.ou_epsilon(p_un, p_masked) if np.isfinite(p_un).all() else None
    return {"epsilon": published.epsilon, "JS": js}


def _features(
    network: SplitModel,
    shown: Observation,
    probe: TestSet,
    bench: Bench,
    original: Observation,
    retrained: Observation | None,
) -> dict[str, Any]:
    """Can the class still be found in the features, and how like other networks' are they?"""
    test, forgotten = bench.material.test, bench.material.forgotten
    scenario = bench.material.scenario
    train = observe(network, probe)
    train_labels = probe.labels.cpu().numpy()
    labels = test.labels[test.shown].cpu().numpy()
    e, e_test = train.features.astype(np.float32), shown.features.astype(np.float32)
    numbers: dict[str, Any] = dict.fromkeys(("linear_probe", "knn_probe", "n_dist", "p_f"))
    if np.isfinite(e).all() and np.isfinite(e_test).all():
        known = (e, train_labels, e_test, labels, scenario.forget)
        numbers["linear_probe"] = asdict(probing.linear_probe(*known, scenario.seed))
        if len(e) >= probing.NEIGHBOURS:
            numbers["knn_probe"] = asdict(probing.knn_probe(*known))
        numbers["n_dist"] = n_dist(e_test[forgotten], labels[forgotten]).round(4).tolist()
    if not shown.diverged:
        p_f = shown.probabilities[forgotten][:, list(scenario.forget)].sum(1)
        numbers["p_f"] = p_f.round(4).tolist()
    numbers["cka_to_original"] = linear_cka(e_test, original.features)
    numbers["cka_to_retrained"] = retrained and linear_cka(e_test, retrained.features)
    return numbers


def _frozen(bench: Bench, tell: Tell) -> dict[str, list[float]] | None:
    """Relearning with BatchNorm's running statistics left as unlearning made them."""
    if not has_batch_norm(bench.unlearned) or bench.record.failure:
        return None
    scenario = bench.material.scenario
    settings, points = relearning_of(scenario), list[tuple[float, float]]()
    for done in relearn(
        bench.unlearned,
        bench.material.relearn,
        seed=scenario.seed,
        settings=settings,
        batch_norm="frozen",
    ):
        points.append(observe(done.model, bench.material.test).accuracies(scenario.forget))
        share = _RELEARNING + (1 - _RELEARNING) * len(points) / (settings.epochs + 1)
        tell("Relearning with BatchNorm frozen", share)
    return {"A_f": [a_f for a_f, _ in points], "A_r": [a_r for _, a_r in points]}


def _weights(bench: Bench) -> dict[str, Any]:
    """A_f and A_r on the straight line from the original, and of weights in few bits."""
    way = straight_line(bench.original, bench.unlearned, LINE_STEPS)
    return {
        "straight_line": [{"share": share, **_accuracies(each, bench)} for share, each in way],
        "bits": {str(bits): _accuracies(rounded(bench.unlearned, bits), bench) for bits in BITS},
    }


def _accuracies(network: SplitModel, bench: Bench) -> dict[str, float]:
    seen = observe(network, bench.material.test)
    a_f, a_r = seen.accuracies(bench.material.scenario.forget)
    return {"A_f": a_f, "A_r": a_r}


def _distances(seen: Observation, retrained: Observation, bench: Bench) -> dict[str, Any]:
    """How far the answers are from those of Retrain."""
    forget, forgotten = list(bench.material.scenario.forget), bench.material.forgotten
    p, p_re = seen.probabilities, retrained.probabilities
    answers, answers_re = p.argmax(1), p_re.argmax(1)
    distances = {
        "D_KL": destinations.kl_divergence(seen.confusion, retrained.confusion, forget),
        "D_KL_smoothing": destinations.SMOOTHING,
        "JS": agreement.js_divergence(seen.confusion, retrained.confusion, forget),
        "agreement": agreement.agreement(answers, answers_re),
        "agreement_on_forgotten": agreement.agreement(answers[forgotten], answers_re[forgotten]),
        "activation_distance": agreement.activation_distance(p[forgotten], p_re[forgotten]),
    }
    return _if_it_answers(distances, seen, retrained)
