"""What all runs of a scenario are measured with: images, and the two networks to compare to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pru_demo.data import load_dataset
from pru_demo.data.splits import of_classes, trial_split
from pru_demo.evaluation.activations import Activations, activations
from pru_demo.evaluation.observe import Observation, TestSet, observe
from pru_demo.models.split import SplitModel
from pru_demo.runs.material import Material
from pru_demo.runs.networks import stored_network
from pru_demo.runs.record import KEPT_EPOCHS, RunRecord

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
