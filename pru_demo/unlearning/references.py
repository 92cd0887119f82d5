"""The two ends of the scale: a network that never learned the class, and one that kept it."""

from collections.abc import Iterator
from copy import deepcopy

import torch

from pru_demo.models.split import SplitModel
from pru_demo.training import TrainingParams, train
from pru_demo.unlearning.parameters import NoParams, RetrainParams
from pru_demo.unlearning.step import ForgetSet, RetainSet, Step


def keep(original: SplitModel, forget: ForgetSet, params: NoParams) -> Iterator[Step]:
    """Do nothing: the original network, to see what relearning alone does to it."""
    return iter(())


def retrain(
    original: SplitModel, forget: ForgetSet, retain: RetainSet, params: RetrainParams
) -> Iterator[Step]:
    """Train a newly initialised network of the same shape on D_r only, as the original was."""
    # Another seed than the original's: the reference must not share its initial weights.
    model = reinitialised(original, forget.seed + 10_000)
    settings = TrainingParams(params.epochs, params.learning_rate, params.weight_decay)
    for done in train(model, retain.images, retain.labels, settings, seed=forget.seed):
        cost = 3 * done.epoch * len(retain.images)
        yield Step(done.epoch, "all", model, cost, {"cross-entropy": done.loss})


def reinitialised(model: SplitModel, seed: int) -> SplitModel:
    """A copy of ``model`` with fresh weights; the global random state is left as it was."""
    fresh = deepcopy(model)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for module in fresh.modules():
            if reset := getattr(module, "reset_parameters", None):
                reset()
    return fresh
