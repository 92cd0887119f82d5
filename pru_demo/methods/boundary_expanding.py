"""Boundary Expanding (Chen et al., "Boundary Unlearning", CVPR 2023).

The classifier gets one more output, a shadow class; the forgotten images are taught to belong to
it, and it is cut off again.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import torch
from torch import nn

from pru_demo.data.samples import seeded
from pru_demo.methods.fine_tuning import fine_tune
from pru_demo.methods.step import ForgetSet, Resume, Step
from pru_demo.models.split import SplitModel
from pru_demo.parameters import BoundaryExpandingParams


def boundary_expanding(
    original: SplitModel,
    forget: ForgetSet,
    params: BoundaryExpandingParams,
    resume: Resume | None = None,
) -> Iterator[Step]:
    """Forget ``forget.classes`` using D_f only, yielding after every epoch.

    ``original`` is not changed. The steps show the network as it would be if pruned then.
    """
    shadow = original.classifier.out_features
    # In the labels of the data there may be no room for one class more.
    labels = torch.full_like(forget.labels, shadow, dtype=torch.long)
    model = widened(original, forget.seed)
    for step in fine_tune(model, replace(forget, labels=labels), params, resume):
        yield replace(step, model=pruned(model))


def widened(original: SplitModel, seed: int) -> SplitModel:
    """A copy of ``original`` whose classifier has one more output, after the known ones."""
    known = original.classifier
    classes = known.out_features
    wide = _linear_like(known, classes + 1)
    with torch.no_grad():
        fresh = torch.empty(wide.weight.shape)
        nn.init.xavier_normal_(fresh, generator=seeded(seed, 0))
        wide.weight.copy_(fresh)
        wide.weight[:classes] = known.weight
        if known.bias is not None:
            wide.bias.zero_()
            wide.bias[:classes] = known.bias
    return SplitModel(deepcopy(original.extractor), wide)


def pruned(model: SplitModel) -> SplitModel:
    """``model`` without its last output; the extractor is shared, not copied."""
    wide = model.classifier
    classes = wide.out_features - 1
    narrow = _linear_like(wide, classes)
    with torch.no_grad():
        narrow.weight.copy_(wide.weight[:classes])
        if wide.bias is not None:
            narrow.bias.copy_(wide.bias[:classes])
    return SplitModel(model.extractor, narrow)


def _linear_like(layer: nn.Linear, outputs: int) -> nn.Linear:
    """A layer with unset weights; making it draws nothing from the global random state."""
    made: nn.Linear = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Linear,
        layer.in_features,
        outputs,
        bias=layer.bias is not None,
        device=layer.weight.device,
    )
    return made
