"""The tensors of a scenario: who is to forget, from what, and on what it is measured."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pru_demo.config import Scenario
from pru_demo.data import load_dataset
from pru_demo.data.samples import Samples, augment_of
from pru_demo.data.splits import (
    Indices,
    Split,
    fixed_samples,
    not_of_classes,
    of_classes,
    relearning_split,
    trial_split,
)
from pru_demo.device import choose_device
from pru_demo.evaluation.knowledge import SHOTS
from pru_demo.evaluation.observe import TestSet
from pru_demo.experiment.record import forgotten_among
from pru_demo.methods.step import ForgetSet, RetainSet
from pru_demo.settings import PRESETS

# Of each class. Enough for ten draws that differ, and quickly seen by a network.
ATTACKERS_IMAGES = 250


@dataclass(frozen=True)
class Material:
    """What is forgotten from, D_r_new, the test set, and what an attacker has.

    ``shots`` are new images of the forgotten classes, up to ``ATTACKERS_IMAGES`` of each, from
    D_f_new; with D_r_new, ``relearn``, they are all that an attacker has. Where methods are given
    D_f_new to forget with, they are those left over; ``shots_were_seen`` says that there were too
    few of these, so that an attacker has images which the method has seen.

    :meth:`retain` is made only for methods that may see it, :meth:`members` only for measuring.
    """

    scenario: Scenario
    forget: ForgetSet
    relearn: Samples
    test: TestSet
    shots: ForgetSet
    shots_were_seen: bool

    @property
    def forgotten(self) -> NDArray[np.bool_]:
        """(n,) which of the shown test samples are of a forgotten class."""
        return forgotten_among(self.test.labels[self.test.shown].cpu().numpy(), self.scenario)

    def retain(self) -> RetainSet:
        """D_r: the rest of the part of the data on which the original was trained."""
        labels, split = labels_and_split(self.scenario)
        kept = not_of_classes(labels, split.train, self.scenario.forget)
        augment = augment_of(self.scenario.dataset)
        return RetainSet(*training_images(self.scenario, kept), augment)

    def members(self) -> Samples:
        """Images of the forgotten classes on which the original was trained, up to the same limit.

        These are D_f whatever the method was given: D_f_new is as unseen as the test part.
        """
        labels, split = labels_and_split(self.scenario)
        members = _to_forget(self.scenario, labels, split.train)
        return Samples(*training_images(self.scenario, members))


def labels_and_split(scenario: Scenario) -> tuple[NDArray[np.uint8], Split]:
    """All labels of the training part as published, and how the trial of ``scenario`` splits it."""
    labels = load_dataset(scenario.dataset).train_labels.numpy()
    return labels, trial_split(len(labels), scenario.seed)


def training_images(scenario: Scenario, indices: Indices) -> tuple[Tensor, Tensor]:
    """Those images (N, C, H, W) of the training part and their labels, on the chosen device."""
    data, index, device = load_dataset(scenario.dataset), torch.from_numpy(indices), choose_device()
    return data.train_images[index].to(device), data.train_labels[index].to(device)


def gather(scenario: Scenario, *, on_validation: bool = False) -> Material:
    """Lay out the data of ``scenario`` on the chosen device.

    ``on_validation`` measures on the validation part instead of the test part: for choosing
    parameters. Raises what loading the data set raises.
    """
    preset, device = PRESETS[scenario.preset], choose_device()
    labels, split = labels_and_split(scenario)
    d_f = _to_forget(scenario, labels, split.train if scenario.given == "D_f" else split.new)
    d_r_new = not_of_classes(labels, split.new, scenario.forget)
    relearned_from = relearning_split(d_r_new, scenario.seed)[0][: preset.relearn_samples]

    if on_validation:
        test_images, test_labels = training_images(scenario, split.validation)
    else:
        data = load_dataset(scenario.dataset)
        test_images, test_labels = data.test_images.to(device), data.test_labels.to(device)
    published = fixed_samples(test_labels.cpu().numpy(), scenario.forget)
    shown = torch.from_numpy(published).long().to(device)
    if not preset.whole_test_part:
        test_images, test_labels = test_images[shown], test_labels[shown]
        shown = torch.arange(len(published), device=device)
    augment, classes = augment_of(scenario.dataset), frozenset(scenario.forget)
    forget, relearn = training_images(scenario, d_f), training_images(scenario, relearned_from)
    shots, were_seen = _shots(scenario, labels, split, d_f)
    return Material(
        scenario,
        ForgetSet(*forget, augment, classes=classes, seed=scenario.seed),
        Samples(*relearn, augment),
        TestSet(test_images, test_labels, shown, published),
        ForgetSet(*training_images(scenario, shots), classes=classes, seed=scenario.seed),
        were_seen,
    )


def _shots(
    scenario: Scenario, labels: NDArray[np.uint8], split: Split, d_f: Indices
) -> tuple[Indices, bool]:
    """Images of the forgotten classes for an attacker, and whether methods were given these."""
    d_f_new = [of_classes(labels, split.new, [c]) for c in scenario.forget]
    left = [each[~np.isin(each, d_f)] for each in d_f_new]
    were_seen = scenario.given == "D_f_new" and min(map(len, left)) < max(SHOTS)
    chosen = d_f_new if were_seen else left
    return np.concatenate([each[:ATTACKERS_IMAGES] for each in chosen]), were_seen


def _to_forget(scenario: Scenario, labels: NDArray[np.uint8], part: Indices) -> Indices:
    """As many of the forgotten classes' images in ``part`` as the scenario allows, the first."""
    return of_classes(labels, part, scenario.forget)[: scenario.most_to_forget]
