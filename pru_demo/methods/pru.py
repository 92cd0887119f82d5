"""Perception Revising Unlearning (Zhang et al., ACML 2024).

Every epoch first moves the extractor E, so that a forgotten sample's features join the cluster of
the class it resembles most among the others (E step, L_E = L_p + λ_o L_o + λ_s L_s), then the
classifier C, so that it agrees (C step, L_C = L_p). ``PRUParams`` holds the differences between
the paper and its released code (``spec/algorithms.md`` 1.2).
"""

from collections.abc import Iterator
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import seeded, shuffled
from pru_demo.methods.fine_tuning import descend
from pru_demo.methods.losses import l_o, l_p, l_s
from pru_demo.methods.step import ForgetSet, Resume, Step
from pru_demo.methods.targets import Targets, redistributed_targets
from pru_demo.models.split import SplitModel, batch_norms, training_mode
from pru_demo.parameters import PRUParams
from pru_demo.training import restore_training, training_state

Losses = dict[str, Tensor]


def pru(
    original: SplitModel, forget: ForgetSet, params: PRUParams, resume: Resume | None = None
) -> Iterator[Step]:
    """Forget ``forget.classes`` using D_f only, yielding after every E and every C step.

    ``original`` is not changed. With ``resume`` it goes on after that epoch.
    """
    targets, cost, asking = redistributed_targets(original, forget)
    model, done = deepcopy(original), 0
    cost_E = (3 + asking) * len(forget)
    cost_C = (asking + (1 if params.c_step_updates == "classifier" else 3)) * len(forget)
    if resume:
        restore_training(resume.state, model)
        done = resume.epoch
        cost += done * (cost_E + cost_C)
    for epoch in range(done + 1, params.epochs + 1):
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
    training_mode(model, params.batch_norm)
    # k updates with the same batch statistics equal one with momentum 1 − (1 − m)^k.
    usual = {layer: layer.momentum for layer in batch_norms(model)}
    for layer, momentum in usual.items():
        assert momentum is not None
        layer.momentum = 1 - (1 - momentum) ** params.batch_norm_updates

    optimizer = _sgd(model.extractor_parameters(), params.learning_rate_E, params)
    means = _Means()
    for batch in shuffled(len(forget), params.batch_size, generator):
        index = batch.to(forget.labels.device)
        inputs = forget.inputs(index, generator)
        target = targets(index, inputs)
        clusters = target.argmax(1)
        features = model.features(inputs)
        losses: Losses = {}
        if params.lambda_p:
            losses["L_p"] = _preserve(model.classify(features), target, params)
        if params.lambda_o and (separation := l_o(features, clusters)) is not None:
            losses["L_o"] = separation
        if params.lambda_s and (spread := l_s(features, clusters, params.averaging)) is not None:
            losses["L_s"] = spread
        weights = {"L_p": params.lambda_p, "L_o": params.lambda_o, "L_s": params.lambda_s}
        if losses:
            descend(optimizer, torch.stack([weights[n] * losses[n] for n in losses]).sum())
        means.add(losses)

    for layer, momentum in usual.items():
        layer.momentum = momentum
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
    optimizer = _sgd(trained, params.learning_rate_C, params)
    means = _Means()
    training_mode(model, params.batch_norm)
    for batch in shuffled(len(forget), params.batch_size, generator):
        index = batch.to(forget.labels.device)
        inputs = forget.inputs(index, generator)
        with torch.set_grad_enabled(not on_classifier):
            features = model.features(inputs)
        loss = _preserve(model.classify(features), targets(index, inputs), params)
        descend(optimizer, loss)
        means.add({"L_p": loss})
    return means.values()


def _preserve(logits: Tensor, targets: Tensor, params: PRUParams) -> Tensor:
    """L_p, or what an ablation puts in its place: cross-entropy with the new labels ỹ."""
    if params.l_p_form == "cross-entropy":
        return F.cross_entropy(logits, targets.argmax(1))
    return l_p(logits, targets, params.lp_epsilon)


def _sgd(
    parameters: list[torch.nn.Parameter], learning_rate: float, params: PRUParams
) -> torch.optim.SGD:
    # New for every half epoch, as released: no momentum is carried from one phase to the other.
    return torch.optim.SGD(
        parameters,
        lr=learning_rate,
        momentum=params.momentum,
        weight_decay=params.weight_decay,
    )


class _Means:
    """Running means of losses that stay on the device until asked for (no sync per batch)."""

    def __init__(self) -> None:
        self._sums: Losses = {}
        self._counts: dict[str, int] = {}

    def add(self, losses: Losses) -> None:
        for name, loss in losses.items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(loss)) + loss.detach()
            self._counts[name] = self._counts.get(name, 0) + 1

    def values(self) -> dict[str, float]:
        return {name: (total / self._counts[name]).item() for name, total in self._sums.items()}
