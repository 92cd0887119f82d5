"""Boundary Shrink (Chen et al., "Boundary Unlearning", CVPR 2023).

Every forgotten sample is given the label of the class that lies nearest across the decision
boundary, found by one adversarial step on the original network; the network is then fine-tuned on
the clean images with those labels.
"""

from collections.abc import Iterator
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.batches import seeded, shuffled
from pru_demo.data.dataset import as_input
from pru_demo.evaluation.accuracy import measuring_batch
from pru_demo.heartbeat import beat
from pru_demo.models.split import SplitModel
from pru_demo.unlearning.parameters import BoundaryShrinkParams
from pru_demo.unlearning.step import ForgetSet, Step


def boundary_shrink(
    original: SplitModel, forget: ForgetSet, params: BoundaryShrinkParams
) -> Iterator[Step]:
    """Forget ``forget.classes`` using D_f only, yielding after every epoch.

    ``original`` is not changed.
    """
    labels = nearest_labels(original, forget, params.epsilon)
    model = deepcopy(original).train()
    # One optimiser for the whole run and no weight decay, as released.
    optimizer = torch.optim.SGD(
        model.parameters(), lr=params.learning_rate, momentum=params.momentum
    )
    cost = 4 * len(labels)
    for epoch in range(1, params.epochs + 1):
        total = torch.zeros((), device=labels.device)
        generator = seeded(forget.seed, epoch)
        for batch in shuffled(len(labels), params.batch_size, generator):
            index = batch.to(labels.device)
            loss = F.cross_entropy(model(as_input(forget.images[index])), labels[index])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.detach() * len(batch)
        cost += 3 * len(labels)
        yield Step(epoch, "all", model, cost, {"cross-entropy": total.item() / len(labels)})


def nearest_labels(original: SplitModel, forget: ForgetSet, epsilon: float) -> Tensor:
    """Labels (N,) that the original gives to ``x + ε·sign(∇_x CE)``, pixels kept in 0..1.

    The argmax runs over all classes, as published: where the attack fails the label stays the
    forgotten one. The original and the images never change, so this is done once, not per epoch.
    """
    model = deepcopy(original).eval().requires_grad_(False)
    labels = []
    size = measuring_batch(forget.images.device)
    for images, truth in zip(
        torch.split(forget.images, size), torch.split(forget.labels, size), strict=True
    ):
        x = as_input(images).requires_grad_(True)
        loss = F.cross_entropy(model(x), truth.long(), reduction="sum")
        (gradient,) = torch.autograd.grad(loss, x)
        with torch.no_grad():
            attacked = (x + epsilon * gradient.sign()).clamp(0, 1)
            # The attack is an image, so it has 256 levels.
            labels.append(model(attacked.mul(255).round().div(255)).argmax(1))
        beat()
    return torch.cat(labels)
