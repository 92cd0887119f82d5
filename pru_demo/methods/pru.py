"""Perception Revising Unlearning (Zhang et al., ACML 2024).

Every epoch first moves the extractor E, so that a forgotten sample's features join the cluster of
the class it resembles most among the others (E step, L_E = L_p + λ_o L_o + λ_s L_s), then the
classifier C, so that it agrees (C step, L_C = L_p). ``PRUParams`` holds the differences between
the paper and its released code (``docs/methods.md``, "Variants of PRU").
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import seeded
from pru_demo.methods.losses import l_o, l_p, l_s
from pru_demo.methods.means import Means
from pru_demo.methods.rehearsal import RehearsedBatch, company_l_p
from pru_demo.methods.step import ForgetSet, Resume, Step, epochs_left
from pru_demo.methods.targets import Targets, redistributed_targets
from pru_demo.models.split import SplitModel, batch_norms, training_mode
from pru_demo.parameters import PRUParams
from pru_demo.training import descend, restore_training, sgd, training_state


def pru(
    original: SplitModel, forget: ForgetSet, params: PRUParams, resume: Resume | None = None
) -> Iterator[Step]:
    """Forget ``forget.classes`` using D_f only, yielding after every E and every C step.

    ``original`` is not changed. With ``resume`` it goes on after that epoch.
    """
    targets, cost, asking = redistributed_targets(original, forget)
    passes_C = 1 if params.c_step_updates == "classifier" else 3
    cost_E = 3 * forget.inputs + asking * len(forget)
    cost_C = passes_C * forget.inputs + asking * len(forget)
    model = deepcopy(original)
    if resume:
        restore_training(resume.state, model)
        cost += resume.epoch * (cost_E + cost_C)
    for epoch in epochs_left(params.epochs, resume):
        losses = _e_step(model, forget, targets, params, seeded(forget.seed, epoch, 0))
        cost += cost_E
        yield Step(epoch, "E", model, cost, losses)

        losses = _c_step(model, forget, targets, params, seeded(forget.seed, epoch, 1))
        cost += cost_C
        # Optimisers are new in every half epoch, so the network is all there is.
        yield Step(epoch, "C", model, cost, losses, training_state(model))


def _e_step(
    model: SplitModel,
    forget: ForgetSet,
    targets: Targets,
    params: PRUParams,
    generator: torch.Generator,
) -> dict[str, float]:
    """Update θ_E with L_E over one epoch of D_f; C is passed through but left alone."""
    # New for every half epoch, as released: no momentum is carried from one phase to the other.
    optimizer = sgd(model.extractor_parameters(), params.learning_rate_E, params)
    weights = {"L_p": params.lambda_p, "L_o": params.lambda_o, "L_s": params.lambda_s}
    means = Means()
    training_mode(model, params.batch_norm)
    with _batch_norm_updates(model, params.batch_norm_updates):
        for batch in forget.batches(params.batch_size, generator):
            target = targets(batch)
            clusters = target.argmax(1)
            together = model.features(batch.inputs)
            features = together[: len(batch)]
            losses = {}
            if params.lambda_p:
                losses["L_p"] = _preserve(model.classify(features), target, params)
            if params.lambda_o and (apart := l_o(features, clusters)) is not None:
                losses["L_o"] = apart
            if params.lambda_s and (near := l_s(features, clusters, params.averaging)) is not None:
                losses["L_s"] = near
            if isinstance(batch, RehearsedBatch):
                rest = model.classify(together[len(batch) :])
                losses["L_p of the pool"] = company_l_p(rest, batch)
            if losses:
                weighted = [weights.get(name, 1.0) * loss for name, loss in losses.items()]
                descend(optimizer, torch.stack(weighted).sum())
            means.add(losses)
    return means.values()


def _c_step(
    model: SplitModel,
    forget: ForgetSet,
    targets: Targets,
    params: PRUParams,
    generator: torch.Generator,
) -> dict[str, float]:
    """Update θ_C (or, as released, θ_E again) with L_p over one epoch of D_f."""
    on_classifier = params.c_step_updates == "classifier"
    trained = model.classifier_parameters() if on_classifier else model.extractor_parameters()
    optimizer = sgd(trained, params.learning_rate_C, params)
    means = Means()
    training_mode(model, params.batch_norm)
    for batch in forget.batches(params.batch_size, generator):
        with torch.set_grad_enabled(not on_classifier):
            features = model.features(batch.inputs)
        logits = model.classify(features)
        losses = {"L_p": _preserve(logits[: len(batch)], targets(batch), params)}
        if isinstance(batch, RehearsedBatch):
            losses["L_p of the pool"] = company_l_p(logits[len(batch) :], batch)
        descend(optimizer, torch.stack(list(losses.values())).sum())
        means.add(losses)
    return means.values()


def _preserve(logits: Tensor, targets: Tensor, params: PRUParams) -> Tensor:
    """L_p, or what an ablation puts in its place: cross-entropy with the new labels ỹ."""
    if params.l_p_form == "cross-entropy":
        return F.cross_entropy(logits, targets.argmax(1))
    return l_p(logits, targets, params.lp_epsilon)


@contextmanager
def _batch_norm_updates(model: SplitModel, updates: int) -> Iterator[None]:
    """Running statistics move as if each batch were passed through the network ``updates`` times.

    k updates with the same batch statistics equal one with momentum 1 − (1 − m)^k.
    """
    usual = {layer: layer.momentum for layer in batch_norms(model)}
    for layer, momentum in usual.items():
        assert momentum is not None
        layer.momentum = 1 - (1 - momentum) ** updates
    yield
    for layer, momentum in usual.items():
        layer.momentum = momentum
