"""What most methods are: fine-tune a copy of the network on D_f with some loss."""

from collections.abc import Iterator

from pru_demo.data.samples import seeded
from pru_demo.methods.rehearsal import RehearsedSet, with_company
from pru_demo.methods.step import ForgetSet, Resume, Step, epochs_left
from pru_demo.models.split import SplitModel
from pru_demo.parameters import FineTuningParams
from pru_demo.training import (
    Loss,
    cross_entropy,
    restore_training,
    sgd,
    train_epoch,
    training_state,
)


def fine_tune(
    model: SplitModel,
    forget: ForgetSet,
    params: FineTuningParams,
    resume: Resume | None,
    loss_of: Loss = cross_entropy,
    *,
    name: str = "cross-entropy",
    cost_before: int = 0,
    asked_per_image: int = 0,
) -> Iterator[Step]:
    """Minimise ``loss_of`` over all of ``model`` in place, yielding after every epoch.

    One SGD optimiser for the whole run and no weight decay, as the published methods have it.
    ``name`` is what the loss is called in records. In forward-equivalents, ``cost_before`` is what
    was spent already and ``asked_per_image`` what ``loss_of`` spends. With ``resume`` it goes on
    after that epoch, with the same result as if it had not stopped.
    """
    if isinstance(forget, RehearsedSet):
        name += " + L_p of the pool"
    optimizer = sgd(model.parameters(), params.learning_rate, params)
    if resume:
        restore_training(resume.state, model, optimizer)
    for epoch in epochs_left(params.epochs, resume):
        generator = seeded(forget.seed, epoch)
        loss = train_epoch(
            model, optimizer, forget, params.batch_size, generator, with_company(loss_of)
        )
        cost = cost_before + epoch * (3 * forget.inputs + asked_per_image * len(forget))
        yield Step(epoch, "all", model, cost, {name: loss}, training_state(model, optimizer))
