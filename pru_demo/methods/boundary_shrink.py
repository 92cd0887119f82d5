"""Boundary Shrink (Chen et al., "Boundary Unlearning", CVPR 2023).

Every forgotten sample is given the label of the class that lies nearest across the decision
boundary, found by one adversarial step on the original network; the network is then fine-tuned on
the clean images with those labels.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor

from pru_demo.data.samples import seeded
from pru_demo.heartbeat import beat
from pru_demo.methods.fine_tuning import fine_tune
from pru_demo.methods.losses import mask_classes
from pru_demo.methods.neighbours import ascend, attackable, climb
from pru_demo.methods.step import ForgetSet, Resume, Step
from pru_demo.models.split import SplitModel
from pru_demo.parameters import BoundaryShrinkParams

# As the PRU group's later code attacks (docs/methods.md, "Boundary Shrink").
PGD_STEPS, PGD_STEP_SIZE = 5, 8 / 255


def boundary_shrink(
    original: SplitModel,
    forget: ForgetSet,
    params: BoundaryShrinkParams,
    resume: Resume | None = None,
) -> Iterator[Step]:
    """Forget ``forget.classes`` using D_f only, yielding after every epoch.

    ``original`` is not changed. Images are used as they are: the method knows no augmentation.
    """
    plain = replace(forget, augment=None)
    relabelled = replace(plain, labels=nearest_labels(original, plain, params))
    cost = (4 if params.attack == "fgsm" else 1 + 3 * PGD_STEPS) * len(forget)
    return fine_tune(deepcopy(original), relabelled, params, resume, cost_before=cost)


def nearest_labels(original: SplitModel, forget: ForgetSet, params: BoundaryShrinkParams) -> Tensor:
    """Labels (N,) that the original gives to the attacked images, pixels kept in 0..1.

    ``fgsm`` is ``x + ε·sign(∇_x CE)``; ``pgd`` takes five smaller steps from a random start and
    stays within ε. Unless ``exclude_forget``, the argmax runs over all classes, as published: where
    the attack fails the label stays the forgotten one. The original and the images never change, so
    this is done once, not per epoch.

    Raises ValueError when pixels are not between 0 and 1.
    """
    model = deepcopy(original).eval().requires_grad_(False)
    generator = seeded(forget.seed, 0)
    labels = []
    for x, truth in attackable(forget):
        if params.attack == "pgd":
            noise = torch.rand(x.shape, generator=generator).to(x.device)
            attacked = climb(
                model,
                x,
                truth,
                start=(x + params.epsilon * (2 * noise - 1)).clamp(0, 1),
                epsilon=params.epsilon,
                step=PGD_STEP_SIZE,
                steps=PGD_STEPS,
            )
        else:
            attacked = ascend(model, x, truth, params.epsilon)
        # The attack is an image, so it has 256 levels.
        with torch.no_grad():
            logits = model(attacked.mul(255).round().div(255))
        if params.exclude_forget:
            logits = mask_classes(logits, forget.classes)
        labels.append(logits.argmax(1))
        beat()
    return torch.cat(labels)
