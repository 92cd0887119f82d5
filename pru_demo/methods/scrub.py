"""SCRUB (Kurmanji et al., NeurIPS 2023): disobey the original on D_f, obey it on D_r."""

from collections.abc import Iterator
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import seeded, shuffled
from pru_demo.methods.fine_tuning import descend
from pru_demo.methods.step import ForgetSet, Resume, RetainSet, Step
from pru_demo.models.split import SplitModel, training_mode
from pru_demo.parameters import SCRUBParams
from pru_demo.training import restore_training, training_state

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
    optimizer = torch.optim.SGD(
        student.parameters(),
        lr=params.learning_rate,
        momentum=params.momentum,
        weight_decay=params.weight_decay,
    )
    if resume:
        restore_training(resume.state, student, optimizer)
    for epoch in range(resume.epoch + 1 if resume else 1, params.epochs + 1):
        for group in optimizer.param_groups:
            group["lr"] = params.learning_rate * 0.1 ** sum(epoch > e for e in DECAYS_AFTER)
        training_mode(student, "train")
        generator = seeded(forget.seed, epoch)
        losses = {}
        if epoch <= params.forget_epochs:
            total = torch.zeros((), device=forget.labels.device)
            for batch in shuffled(len(forget), params.batch_size, generator):
                index = batch.to(forget.labels.device)
                inputs = forget.inputs(index, generator)
                apart = distance(student(inputs), teacher(inputs), params.temperature)
                descend(optimizer, -apart)
                total += apart.detach() * len(batch)
            losses["KL on D_f"] = total.item() / len(forget)

        total = torch.zeros((), device=forget.labels.device)
        for batch in shuffled(len(retain), params.batch_size, generator):
            index = batch.to(forget.labels.device)
            inputs = retain.inputs(index, generator)
            logits = student(inputs)
            loss = params.alpha * distance(logits, teacher(inputs), params.temperature)
            loss = loss + params.gamma * F.cross_entropy(logits, retain.labels[index].long())
            descend(optimizer, loss)
            total += loss.detach() * len(batch)
        losses["loss on D_r"] = total.item() / len(retain)
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
