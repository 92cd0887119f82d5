"""What a forgetting must be better than: the answer covered, and the last layer alone retrained.

Neither touches the extractor, so both still perceive all that the original does. What a method
gains over *head only* is perception; a measure that *mask* passes cannot tell hiding from
forgetting.
"""

from collections.abc import Collection, Iterator
from copy import deepcopy

import torch
from torch import nn

from pru_demo.data.samples import seeded
from pru_demo.methods.losses import l_p
from pru_demo.methods.means import Means
from pru_demo.methods.rehearsal import with_company
from pru_demo.methods.step import ForgetSet, Resume, Step, epochs_left
from pru_demo.methods.targets import redistributed_targets
from pru_demo.models.split import SplitModel
from pru_demo.parameters import FineTuningParams, MaskParams
from pru_demo.training import descend, restore_training, sgd, training_state


def mask(original: SplitModel, forget: ForgetSet, params: MaskParams) -> Iterator[Step]:
    """Cover ``forget.classes``, without a look at any image, and yield once."""
    yield Step(params.epochs, "all", masked(original, forget.classes, params.bias), 0)


def masked(model: SplitModel, classes: Collection[int], bias: float) -> SplitModel:
    """A copy of ``model`` whose logits of ``classes`` are ``bias``, whatever it sees.

    A last layer without biases gets some, 0 for the other classes: a row of zeros alone would still
    win wherever all other logits are negative.
    """
    covered = deepcopy(model)
    layer, columns = covered.classifier, sorted(classes)
    with torch.no_grad():
        if layer.bias is None:
            layer.bias = nn.Parameter(layer.weight.new_zeros(layer.out_features))
        layer.weight[columns] = 0
        layer.bias[columns] = bias
    return covered


def head_only(
    original: SplitModel, forget: ForgetSet, params: FineTuningParams, resume: Resume | None = None
) -> Iterator[Step]:
    """Train the last layer with L_p (Eq. 5) on D_f, yielding after every epoch.

    The extractor is as when it is measured: no weight, statistic or dropout of it moves. With
    ``resume`` it goes on after that epoch.
    """
    targets, cost, asking = redistributed_targets(original, forget)
    model = deepcopy(original)
    optimizer = sgd(model.classifier_parameters(), params.learning_rate, params)
    loss_of = with_company(lambda logits, batch: l_p(logits, targets(batch)))
    if resume:
        restore_training(resume.state, model, optimizer)
    for epoch in epochs_left(params.epochs, resume):
        model.eval()
        means = Means()
        for batch in forget.batches(params.batch_size, seeded(forget.seed, epoch)):
            with torch.no_grad():
                features = model.features(batch.inputs)
            loss = loss_of(model.classify(features), batch)
            descend(optimizer, loss)
            means.add({"L_p": loss})
        # The last layer's own passes are next to nothing.
        spent = cost + epoch * (forget.inputs + asking * len(forget))
        yield Step(epoch, "all", model, spent, means.values(), training_state(model, optimizer))
