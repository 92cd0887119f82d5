"""What the finer instruments say of a stored run: probes, attacks, layers, the way to Retrain.

They work on stored weights, so they can be asked about any run at any time. Kernels are stored in
half precision, so that relative changes below about 3e-4 are rounding.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pru_demo.data import load_dataset
from pru_demo.data.splits import of_classes, trial_split
from pru_demo.evaluation import agreement, attacks, curves, layers, perception, redistribution
from pru_demo.evaluation.accuracy import accuracy, predict
from pru_demo.evaluation.observe import Observation, TestSet, observe
from pru_demo.evaluation.similarity import linear_cka
from pru_demo.models.split import SplitModel
from pru_demo.relearning import relearn
from pru_demo.runs.material import Material
from pru_demo.runs.networks import stored_network
from pru_demo.runs.record import KEPT_EPOCHS, RunRecord
from pru_demo.runs.setting import relearning_of
from pru_demo.unlearning.references import reinitialised

# Enough for a stable probe of a hundred features, and seconds to fit.
PROBE_IMAGES = 2000

Weights = Mapping[int, SplitModel]


@dataclass(frozen=True)
class Instruments:
    """What all runs of a scenario are measured with: images, and the two networks to compare to.

    ``probe`` are training images of all classes, the forgotten ones too, with their labels;
    ``retrained`` is None where Retrain was not run, and so is what depends on it.
    """

    material: Material
    probe: TestSet
    original: SplitModel
    retrained: SplitModel | None


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
    return Instruments(material, probe, original, retrained)


def measure(record: RunRecord, networks: Weights, tools: Instruments) -> dict[str, Any]:
    """Everything about one run, as JSON; accuracies in percent, distances in nats.

    ``networks`` are those after ``KEPT_EPOCHS`` of relearning, on the device; a run that failed
    has the first only.
    """
    forget = record.config.scenario.forget
    unlearned, test = networks[0], tools.material.test
    seen = observe(unlearned, test)
    return {
        "forget_set": _on_forget_set(unlearned, tools, forget, record.config.scenario.seed),
        "test_part": {
            "masked_A_r": _masked(unlearned, test, forget),
            "p_f": asdict(_p_f(seen, test, forget)),
            "ZRF": _zrf(seen, tools, forget),
        },
        "layers": {
            "blocks": [asdict(c) for c in layers.block_changes(*_states(unlearned, tools))],
            "tensors": [asdict(c) for c in layers.tensor_changes(*_states(unlearned, tools))],
            "batch_norm": [asdict(c) for c in layers.batch_norm_drift(*_states(unlearned, tools))],
        },
        "features": {
            str(epoch): _features(network, tools, forget, record.config.scenario.seed)
            for epoch, network in networks.items()
        },
        "relearning": {
            "comeback": asdict(curves.comeback(record.relearning("A_f"))),
            "batch_norm_frozen": None if record.failure else _frozen(unlearned, tools, record),
        },
        "against_retrain": _against_retrain(seen, tools, list(forget)),
    }


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


def _on_forget_set(
    network: SplitModel, tools: Instruments, forget: tuple[int, ...], seed: int
) -> dict[str, Any]:
    """A_f on the very images forgotten, and whether an attacker can tell them from unseen ones."""
    given, test = tools.material.forget, tools.material.test
    of_class = torch.isin(test.labels, torch.tensor(forget, device=test.labels.device))
    trained, unseen = (
        _cross_entropies(network, images, labels)
        for images, labels in (
            (given.images, given.labels),
            (test.images[of_class], test.labels[of_class]),
        )
    )
    return {
        "A_f": accuracy(network, given.images, given.labels),
        "membership": asdict(attacks.loss_attack(trained, unseen, seed)),
    }


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


def _zrf(seen: Observation, tools: Instruments, forget: tuple[int, ...]) -> float:
    """Against a network of the same shape that has learned nothing."""
    test = tools.material.test
    random = observe(reinitialised(tools.original, tools.material.scenario.seed), test)
    forgotten = np.isin(test.labels[test.shown].cpu().numpy(), forget)
    return agreement.zrf(seen.probabilities[forgotten], random.probabilities[forgotten])


def _states(network: SplitModel, tools: Instruments) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    return network.state_dict(), tools.original.state_dict()


def _features(
    network: SplitModel, tools: Instruments, forget: tuple[int, ...], seed: int
) -> dict[str, Any]:
    """Can the class still be found in the features, and how like other networks' are they?"""
    test = tools.material.test
    train, shown = observe(network, tools.probe), observe(network, test)
    train_labels = tools.probe.labels.cpu().numpy()
    labels = test.labels[test.shown].cpu().numpy()
    e, e_test = train.features.astype(np.float32), shown.features.astype(np.float32)
    forgotten = np.isin(labels, forget)

    def cka_to(other: SplitModel | None) -> float | None:
        return None if other is None else linear_cka(e_test, observe(other, test).features)

    return {
        "linear_probe": asdict(
            perception.linear_probe(e, train_labels, e_test, labels, forget, seed)
        ),
        "knn_probe": asdict(perception.knn_probe(e, train_labels, e_test, labels, forget)),
        "cka_to_original": cka_to(tools.original),
        "cka_to_retrained": cka_to(tools.retrained),
        "n_dist": perception.n_dist(e_test[forgotten], labels[forgotten]).round(4).tolist(),
        "p_f": shown.probabilities[forgotten][:, list(forget)].sum(1).round(4).tolist(),
    }


def _frozen(unlearned: SplitModel, tools: Instruments, record: RunRecord) -> dict[str, list[float]]:
    """Relearning with BatchNorm's running statistics left as unlearning made them."""
    scenario = record.config.scenario
    points = [
        observe(done.model, tools.material.test).accuracies(scenario.forget)
        for done in relearn(
            unlearned,
            tools.material.relearn,
            seed=scenario.seed,
            settings=relearning_of(scenario),
            batch_norm="frozen",
        )
    ]
    return {"A_f": [a_f for a_f, _ in points], "A_r": [a_r for _, a_r in points]}


def _against_retrain(
    seen: Observation, tools: Instruments, forget: list[int]
) -> dict[str, float] | None:
    if tools.retrained is None:
        return None
    test = tools.material.test
    reference = observe(tools.retrained, test)
    forgotten = np.isin(test.labels[test.shown].cpu().numpy(), forget)
    p, p_re = seen.probabilities, reference.probabilities
    same = agreement.agreement
    return {
        "D_KL": redistribution.kl_divergence(seen.confusion, reference.confusion, forget),
        "D_KL_smoothing": redistribution.SMOOTHING,
        "JS": agreement.js_divergence(seen.confusion, reference.confusion, forget),
        "agreement": same(p.argmax(1), p_re.argmax(1)),
        "agreement_on_forgotten": same(p[forgotten].argmax(1), p_re[forgotten].argmax(1)),
        "activation_distance": agreement.activation_distance(p[forgotten], p_re[forgotten]),
    }
