"""What all runs of a scenario are measured with: images, and the two networks to compare to.

What the finer instruments say of a stored run: probes, attacks, layers, the way to Retrain.

They work on stored weights, so they can be asked about any run at any time. Kernels are stored in
half precision, so that relative changes below about 3e-4 are rounding. None is what cannot be
measured: where there are too few images, no Retrain, no BatchNorm, or no numbers after divergence.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pru_demo.config import relearning_of
from pru_demo.data import load_dataset
from pru_demo.data.splits import of_classes, trial_split
from pru_demo.evaluation import agreement, attacks
from pru_demo.evaluation import destinations as redistribution
from pru_demo.evaluation import layer_changes as layers
from pru_demo.evaluation import probing as perception
from pru_demo.evaluation import relearning as curves
from pru_demo.evaluation.distances import n_dist
from pru_demo.evaluation.layer_changes import blocks_of
from pru_demo.evaluation.likeness import Activations, activations, likeness, linear_cka
from pru_demo.evaluation.observe import Observation, TestSet, observe
from pru_demo.evaluation.relearning import relearn
from pru_demo.experiment.material import Material
from pru_demo.experiment.record import KEPT_EPOCHS, RunRecord
from pru_demo.experiment.stored_networks import stored_network
from pru_demo.methods.references import reinitialised
from pru_demo.models.predict import accuracy, predict
from pru_demo.models.split import SplitModel, has_batch_norm

# Enough for a stable probe of a hundred features, and seconds to fit.
PROBE_IMAGES = 2000


@dataclass(frozen=True)
class Yardstick:
    """A network to compare to, and what it makes of the test images.

    ``sent`` is what its blocks send on for the shown ones, see ``evaluation.activations``.
    """

    network: SplitModel
    seen: Observation
    sent: Activations


@dataclass(frozen=True)
class Instruments:
    """``probe`` are training images of all classes, the forgotten ones too, with their labels.

    ``retrained`` is None where Retrain was not run, and so is what depends on it.
    """

    material: Material
    probe: TestSet
    original: Yardstick
    retrained: Yardstick | None

    def forgotten(self) -> NDArray[np.bool_]:
        """(n,) which shown samples are of a forgotten class."""
        test, forget = self.material.test, self.material.scenario.forget
        of_class: NDArray[np.bool_] = np.isin(test.labels[test.shown].cpu().numpy(), list(forget))
        return of_class

    def sent(self, network: SplitModel) -> Activations:
        """What the blocks of ``network`` send on for the shown samples."""
        test = self.material.test
        return activations(network, test.images[test.shown])


def instruments(
    material: Material, original: SplitModel, retrained: SplitModel | None
) -> Instruments:
    """Choose the probe's images: the first of each class in the part that trained the original."""
    scenario = material.scenario
    data, device = load_dataset(scenario.dataset), material.test.images.device
    labels = data.train_labels.numpy()
    train = trial_split(len(labels), scenario.seed).train
    classes = np.unique(labels)
    each = PROBE_IMAGES // len(classes)
    chosen = np.concatenate([of_classes(labels, train, [c])[:each] for c in classes])
    index = torch.from_numpy(chosen)
    probe = TestSet(
        data.train_images[index].to(device),
        data.train_labels[index].to(device),
        torch.arange(len(index), device=device),
        chosen.astype(np.int32),
    )
    return Instruments(
        material,
        probe,
        _yardstick(original, material.test),
        None if retrained is None else _yardstick(retrained, material.test),
    )


def networks_of(
    record: RunRecord, weights: Mapping[str, NDArray[Any]], device: torch.device
) -> dict[int, SplitModel]:
    """The stored networks of a run by epoch of relearning, on ``device``."""
    stored = {int(name.partition("/")[0]) for name in weights}
    scenario = record.config.scenario
    return {
        epoch: stored_network(scenario, weights, epoch).to(device)
        for epoch in KEPT_EPOCHS
        if epoch in stored
    }


def _yardstick(network: SplitModel, test: TestSet) -> Yardstick:
    return Yardstick(network, observe(network, test), activations(network, test.images[test.shown]))


Weights = Mapping[int, SplitModel]
# Told what is being measured, and what share of the time is over.
Tell = Callable[[str, float], None]

# Relearning once more takes more than half of the time.
_LAYERS, _FEATURES, _RELEARNING = 0.1, 0.15, 0.4


def measure(
    record: RunRecord,
    networks: Weights,
    tools: Instruments,
    tell: Tell = lambda message, share: None,
) -> dict[str, Any]:
    """Everything about one run, as JSON; accuracies in percent, distances in nats.

    ``networks`` are those after ``KEPT_EPOCHS`` of relearning, on the device; a run that failed
    has the first only. Where ``membership`` is None, ``no_membership`` ends a sentence on why.
    """
    forget, seed = record.config.scenario.forget, record.config.scenario.seed
    unlearned, test = networks[0], tools.material.test
    tell("Attacking the network", 0.0)
    seen = observe(unlearned, test)
    on_forget_set = {
        "A_f": _on_given(unlearned, seen, tools),
        **_membership(unlearned, tools, forget, seed),
    }
    test_part = _if_it_answers(
        {
            "masked_A_r": _masked(unlearned, test, forget),
            "p_f": asdict(_p_f(seen, test, forget)),
            "ZRF": _zrf(seen, tools),
        },
        seen,
    )
    tell("Comparing its layers", _LAYERS)
    inside = _layers(unlearned, tools)
    features = {}
    for place, (epoch, network) in enumerate(networks.items()):
        share = _FEATURES + (_RELEARNING - _FEATURES) * place / len(networks)
        tell("Looking for the class in its features", share)
        features[str(epoch)] = _features(network, tools, forget, seed)
    frozen = None
    if has_batch_norm(unlearned) and not record.failure:
        frozen = _frozen(unlearned, record, tools, tell)
    return {
        "forget_set": on_forget_set,
        "test_part": test_part,
        "layers": inside,
        "features": features,
        "relearning": {
            "comeback": _if_it_answers(asdict(curves.comeback(record.relearning("A_f"))), seen),
            "batch_norm_frozen": frozen,
        },
        "against_retrain": _against_retrain(seen, tools),
    }


def _if_it_answers(numbers: dict[str, Any], *seen: Observation) -> dict[str, Any]:
    """``numbers``, or None for each of them where a network's outputs are no numbers."""
    # Its accuracy is none either, although what argmax makes of NaN is a class like any other.
    return dict.fromkeys(numbers) if any(each.diverged for each in seen) else numbers


def _on_given(network: SplitModel, seen: Observation, tools: Instruments) -> float | None:
    """A_f on the very images that the method was given to forget with."""
    given = tools.material.forget
    return None if seen.diverged else accuracy(network, given.images, given.labels)


def _membership(
    network: SplitModel, tools: Instruments, forget: tuple[int, ...], seed: int
) -> dict[str, Any]:
    """Whether an attacker can tell images that the original was trained on from unseen ones."""
    members, test = tools.material.members(), tools.material.test
    of_class = torch.isin(test.labels, torch.tensor(forget, device=test.labels.device))
    trained, unseen = (
        _cross_entropies(network, images, labels)
        for images, labels in (
            (members.images, members.labels),
            (test.images[of_class], test.labels[of_class]),
        )
    )
    try:
        return {"membership": asdict(attacks.loss_attack(trained, unseen, seed))}
    except attacks.NoAttack as reason:
        return {"membership": None, "no_membership": str(reason)}


def _cross_entropies(network: SplitModel, images: Tensor, labels: Tensor) -> NDArray[np.float32]:
    losses = F.cross_entropy(predict(network, images), labels.long(), reduction="none")
    values: NDArray[np.float32] = losses.cpu().numpy()
    return values


def _masked(network: SplitModel, test: TestSet, forget: tuple[int, ...]) -> float:
    logits = predict(network, test.images).cpu().numpy()
    return agreement.masked_accuracy(logits, test.labels.cpu().numpy(), forget)


def _p_f(
    seen: Observation, test: TestSet, forget: tuple[int, ...]
) -> agreement.ForgottenProbability:
    shown = test.labels[test.shown].cpu().numpy()
    return agreement.forgotten_probability(seen.probabilities[np.isin(shown, forget)], forget)


def _zrf(seen: Observation, tools: Instruments) -> float:
    """Against a network of the same shape that has learned nothing."""
    empty = reinitialised(tools.original.network, tools.material.scenario.seed)
    random, forgotten = observe(empty, tools.material.test), tools.forgotten()
    return agreement.zrf(seen.probabilities[forgotten], random.probabilities[forgotten])


def _layers(unlearned: SplitModel, tools: Instruments) -> dict[str, Any]:
    """How far each layer moved, and how like it still is to that of the other networks."""
    states = unlearned.state_dict(), tools.original.network.state_dict()
    sent, forgotten = tools.sent(unlearned), tools.forgotten()

    def cka_to(other: Yardstick | None) -> list[dict[str, Any]] | None:
        if other is None:
            return None
        return [asdict(each) for each in likeness(sent, other.sent, forgotten)]

    return {
        "blocks": [asdict(c) for c in layers.block_changes(*states, blocks_of(unlearned))],
        "tensors": [asdict(c) for c in layers.tensor_changes(*states)],
        "batch_norm": [asdict(c) for c in layers.batch_norm_drift(*states)],
        "cka_to_original": cka_to(tools.original),
        "cka_to_retrained": cka_to(tools.retrained),
    }


def _features(
    network: SplitModel, tools: Instruments, forget: tuple[int, ...], seed: int
) -> dict[str, Any]:
    """Can the class still be found in the features, and how like other networks' are they?"""
    test = tools.material.test
    train, shown = observe(network, tools.probe), observe(network, test)
    train_labels = tools.probe.labels.cpu().numpy()
    labels, forgotten = test.labels[test.shown].cpu().numpy(), tools.forgotten()
    e, e_test = train.features.astype(np.float32), shown.features.astype(np.float32)

    def cka_to(other: Yardstick | None) -> float | None:
        return None if other is None else linear_cka(e_test, other.seen.features)

    found: dict[str, Any] = dict.fromkeys(("linear_probe", "knn_probe", "n_dist", "p_f"))
    if np.isfinite(e).all() and np.isfinite(e_test).all():
        linear = perception.linear_probe(e, train_labels, e_test, labels, forget, seed)
        found["linear_probe"] = asdict(linear)
        if len(e) >= perception.NEIGHBOURS:
            knn = perception.knn_probe(e, train_labels, e_test, labels, forget)
            found["knn_probe"] = asdict(knn)
        found["n_dist"] = n_dist(e_test[forgotten], labels[forgotten]).round(4).tolist()
    if not shown.diverged:
        p_f = shown.probabilities[forgotten][:, list(forget)].sum(1)
        found["p_f"] = p_f.round(4).tolist()
    return found | {
        "cka_to_original": cka_to(tools.original),
        "cka_to_retrained": cka_to(tools.retrained),
    }


def _frozen(
    unlearned: SplitModel, record: RunRecord, tools: Instruments, tell: Tell
) -> dict[str, list[float]]:
    """Relearning with BatchNorm's running statistics left as unlearning made them."""
    scenario = record.config.scenario
    settings, points = relearning_of(scenario), []
    for done in relearn(
        unlearned,
        tools.material.relearn,
        seed=scenario.seed,
        settings=settings,
        batch_norm="frozen",
    ):
        points.append(observe(done.model, tools.material.test).accuracies(scenario.forget))
        share = _RELEARNING + (1 - _RELEARNING) * len(points) / (settings.epochs + 1)
        tell("Relearning with BatchNorm frozen", share)
    return {"A_f": [a_f for a_f, _ in points], "A_r": [a_r for _, a_r in points]}


def _against_retrain(seen: Observation, tools: Instruments) -> dict[str, Any] | None:
    if tools.retrained is None:
        return None
    reference, forgotten = tools.retrained.seen, tools.forgotten()
    p, p_re = seen.probabilities, reference.probabilities
    forget, same = list(tools.material.scenario.forget), agreement.agreement
    distances = {
        "D_KL": redistribution.kl_divergence(seen.confusion, reference.confusion, forget),
        "D_KL_smoothing": redistribution.SMOOTHING,
        "JS": agreement.js_divergence(seen.confusion, reference.confusion, forget),
        "agreement": same(p.argmax(1), p_re.argmax(1)),
        "agreement_on_forgotten": same(p[forgotten].argmax(1), p_re[forgotten].argmax(1)),
        "activation_distance": agreement.activation_distance(p[forgotten], p_re[forgotten]),
    }
    return _if_it_answers(distances, seen, reference)
