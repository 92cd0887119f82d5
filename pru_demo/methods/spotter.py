"""Spotter (Ha et al., ICML 2026): answer as the masked original does, near the class as well.

Per batch of D_f: L_p (Eq. 5) on the images, L_p on their adversarial neighbours, so that what lies
just beyond the class is kept, and the mean cosine similarity of the forgotten features, so that
they no longer form a cluster of their own.
"""

from collections.abc import Iterator
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import seeded
from pru_demo.methods.losses import l_p, redistribute
from pru_demo.methods.means import Means
from pru_demo.methods.neighbours import neighbours
from pru_demo.methods.rehearsal import RehearsedBatch, company_l_p
from pru_demo.methods.step import ForgetSet, Resume, Step, epochs_left
from pru_demo.methods.targets import redistributed_targets
from pru_demo.models.predict import predict
from pru_demo.models.split import SplitModel, training_mode
from pru_demo.parameters import SpotterParams
from pru_demo.training import descend, restore_training, sgd, training_state


def spotter(
    original: SplitModel, forget: ForgetSet, params: SpotterParams, resume: Resume | None = None
) -> Iterator[Step]:
    """Forget ``forget.classes`` using D_f only, yielding after every epoch.

    ``original`` is not changed. Neighbours are made once, of the images as they are: crops and
    flips are of the images alone. With ``resume`` it goes on after that epoch.
    """
    targets, cost, asking = redistributed_targets(original, forget)
    near = neighbours(
        original, forget, epsilon=params.epsilon, step=params.pgd_step, steps=params.pgd_steps
    )
    near_targets = redistribute(predict(original, near), forget.classes)
    cost += (3 * params.pgd_steps + 1) * len(forget)
    weights = {
        "L_p": params.lambda_images,
        "L_p, neighbours": params.lambda_neighbours,
        "similarity": params.lambda_similarity,
    }
    model = deepcopy(original)
    optimizer = sgd(model.parameters(), params.learning_rate, params)
    if resume:
        restore_training(resume.state, model, optimizer)
    for epoch in epochs_left(params.epochs, resume):
        training_mode(model, params.batch_norm)
        means = Means()
        for batch in forget.batches(params.batch_size, seeded(forget.seed, epoch)):
            together = model.features(batch.inputs)
            features = together[: len(batch)]
            losses = {
                "L_p": l_p(model.classify(features), targets(batch)),
                "L_p, neighbours": l_p(model(near[batch.index]), near_targets[batch.index]),
                "similarity": similarity(features),
            }
            if isinstance(batch, RehearsedBatch):
                losses["L_p of the pool"] = company_l_p(
                    model.classify(together[len(batch) :]), batch
                )
            weighted = [weights.get(name, 1.0) * loss for name, loss in losses.items()]
            descend(optimizer, torch.stack(weighted).sum())
            means.add(losses)
        spent = cost + epoch * (3 * forget.inputs + (3 + asking) * len(forget))
        yield Step(epoch, "all", model, spent, means.values(), training_state(model, optimizer))


def similarity(features: Tensor) -> Tensor:
    """Mean cosine similarity of all pairs of features (B, d), from −1/(B − 1) to 1; B is at least
    two."""
    directions = F.normalize(features)
    count = len(directions)
    # ‖Σ u‖² has every pair twice, and every direction with itself.
    return (directions.sum(0).square().sum() - directions.square().sum()) / (count * (count - 1))
