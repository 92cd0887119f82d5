"""SCRUB (Kurmanji et al., NeurIPS 2023): disobey the original on D_f, obey it on D_r."""

from collections.abc import Iterator
from copy import deepcopy

import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import Batch, seeded
from pru_demo.methods.step import ForgetSet, Resume, RetainSet, Step, epochs_left
from pru_demo.models.split import SplitModel
from pru_demo.parameters import SCRUBParams
from pru_demo.training import restore_training, sgd, train_epoch, training_state

# Released notebook: the learning rate falls to a tenth after each of these epochs.
DECAYS_AFTER = (3, 5, 9)


def scrub(
    original: SplitModel,
    forget: ForgetSet,
    retain: RetainSet,
    params: SCRUBParams,
    resume: Resume | None = None,
) -> Iterator[Step]:
    """Alternate: raise KL(original ‖ student) on D_f, then lower it together with CE on D_r.

    The first ``params.forget_epochs`` epochs have both halves, the others only the second. Yields
    after every epoch; ``original`` is not changed. With ``resume`` it goes on after that epoch.
    """
    teacher = deepcopy(original).eval().requires_grad_(False)
    student = deepcopy(original)

    def disobey(logits: Tensor, batch: Batch) -> Tensor:
        return -distance(logits, teacher(batch.x), params.temperature)

    def obey(logits: Tensor, batch: Batch) -> Tensor:
        apart = distance(logits, teacher(batch.x), params.temperature)
        return params.alpha * apart + params.gamma * F.cross_entropy(logits, batch.y)

    optimizer = sgd(student.parameters(), params.learning_rate, params)
    if resume:
        restore_training(resume.state, student, optimizer)
    for epoch in epochs_left(params.epochs, resume):
        for group in optimizer.param_groups:
            group["lr"] = params.learning_rate * 0.1 ** sum(epoch > e for e in DECAYS_AFTER)
        generator, size, losses = seeded(forget.seed, epoch), params.batch_size, {}
        if epoch <= params.forget_epochs:
            loss = train_epoch(student, optimizer, forget, size, generator, disobey)
            losses["KL on D_f"] = 0 - loss  # a distance of 0 is written as 0, not as -0
        losses["loss on D_r"] = train_epoch(student, optimizer, retain, size, generator, obey)
        cost = 4 * (min(epoch, params.forget_epochs) * len(forget) + epoch * len(retain))
        yield Step(epoch, "all", student, cost, losses, training_state(student, optimizer))


def distance(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """KL(teacher ‖ student) of logits (B, K) at ``temperature`` T, times T², as in distillation."""
    return temperature**2 * F.kl_div(
        (student / temperature).log_softmax(1),
        (teacher / temperature).log_softmax(1),
        reduction="batchmean",
        log_target=True,
    )
