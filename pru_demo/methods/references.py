"""The two ends of the scale: a network that never learned the class, and one that kept it."""

from collections.abc import Iterator
from copy import deepcopy

import torch

from pru_demo.methods.step import ForgetSet, Resume, RetainSet, Step
from pru_demo.models import start_pretrained
from pru_demo.models.split import SplitModel
from pru_demo.parameters import NoParams, RetrainParams, TrainingParams
from pru_demo.training import train


def keep(original: SplitModel, forget: ForgetSet, params: NoParams) -> Iterator[Step]:
    """Do nothing: the original network, to see what relearning alone does to it."""
    return iter(())


def retrain(
    original: SplitModel,
    forget: ForgetSet,
    retain: RetainSet,
    params: RetrainParams,
    resume: Resume | None = None,
) -> Iterator[Step]:
    """Train a newly initialised network of the same shape on D_r only, as the original was.

    Raises ValueError when it must start from pretrained weights and they cannot be had.
    """
    # Another seed than the original's: the reference must not share its initial weights.
    model = reinitialised(original, forget.seed + 10_000)
    if params.start:
        start_pretrained(params.start, model)
    settings = TrainingParams(
        params.epochs, params.learning_rate, params.weight_decay, batch_size=params.batch_size
    )
    epochs, state = (resume.epoch, resume.state) if resume else (0, None)
    for done in train(model, retain, settings, seed=forget.seed, done_epochs=epochs, state=state):
        cost = 3 * done.epoch * len(retain)
        yield Step(done.epoch, "all", model, cost, {"cross-entropy": done.loss}, done.state)


def reinitialised(model: SplitModel, seed: int) -> SplitModel:
    """A copy of ``model`` with fresh weights; the global random state is left as it was.

    Raises ValueError when a layer of ``model`` has weights and no way to reset them.
    """
    fresh = deepcopy(model)
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.fill_(torch.nan)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        # Whole blocks after the layers inside them: theirs is the last word (the order is stable).
        for module in sorted(fresh.modules(), key=lambda module: any(module.children())):
            if reset := getattr(module, "reset_parameters", None):
                reset()
    # What is still no number was reset by nobody: it would have kept what the original learned.
    left = [name for name, parameter in fresh.named_parameters() if parameter.isnan().any()]
    if left:
        raise ValueError(f"Retrain cannot start afresh: nothing resets {left[0]}.")
    return fresh
