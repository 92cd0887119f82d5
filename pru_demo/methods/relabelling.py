"""Forgetting by random labels, over all weights or over the salient half of them (SalUn)."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import seeded
from pru_demo.methods.fine_tuning import fine_tune
from pru_demo.methods.step import ForgetSet, Resume, Step
from pru_demo.models.split import SplitModel
from pru_demo.parameters import FineTuningParams, SalUnParams


def random_label(
    original: SplitModel, forget: ForgetSet, params: FineTuningParams, resume: Resume | None = None
) -> Iterator[Step]:
    """Train on labels drawn once, uniformly among the other classes; D_f only."""
    return fine_tune(deepcopy(original), relabelled(forget, original), params, resume)


def salun(
    original: SplitModel, forget: ForgetSet, params: SalUnParams, resume: Resume | None = None
) -> Iterator[Step]:
    """SalUn (Fan et al., ICLR 2024) without its retain half: random labels, salient weights only.

    Salient are the ``params.share`` of all weights with the largest gradient on D_f.
    """
    model = deepcopy(original)
    masks = salient(original, forget, params.share)
    for parameter, mask in zip(model.parameters(), masks, strict=True):
        # Without weight decay a weight whose gradient is always zero never moves.
        parameter.register_hook(mask.mul)  # type: ignore[no-untyped-call]
    data = relabelled(forget, original)
    return fine_tune(model, data, params, resume, cost_before=3 * len(forget))


def relabelled(forget: ForgetSet, model: SplitModel) -> ForgetSet:
    """``forget`` with labels among the classes that are kept, drawn with the scenario's seed."""
    classes = range(model.classifier.out_features)
    kept = torch.tensor([c for c in classes if c not in forget.classes])
    # Not the stream of an epoch: labels must not depend on the order of the first one.
    drawn = torch.randint(len(kept), (len(forget),), generator=seeded(forget.seed, 0))
    return replace(forget, labels=kept[drawn].to(forget.labels.device))


def salient(original: SplitModel, forget: ForgetSet, share: float) -> list[Tensor]:
    """Masks (0 or 1), one per parameter, of the top ``share`` of all weights.

    They are ranked by ``|Σ ∇CE(D_f)|`` in eval mode, on the images as they are.
    """
    model = deepcopy(original).eval()
    for batch in replace(forget, augment=None).batches(100, seeded(forget.seed, 0)):
        loss = F.cross_entropy(model(batch.x), batch.y, reduction="sum")
        loss.backward()  # type: ignore[no-untyped-call]
    sizes = [torch.zeros_like(p) if p.grad is None else p.grad.abs() for p in model.parameters()]
    flat = torch.cat([size.flatten() for size in sizes])
    kept = torch.zeros_like(flat)
    kept[flat.topk(round(share * len(flat))).indices] = 1
    parts = torch.split(kept, [size.numel() for size in sizes])
    return [part.view_as(size) for part, size in zip(parts, sizes, strict=True)]
