"""Forgetting by random labels, over all weights or over the salient half of them (SalUn)."""

from collections.abc import Iterator
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import as_input, seeded, shuffled
from pru_demo.methods.fine_tuning import fine_tune
from pru_demo.methods.step import ForgetSet, Resume, Step
from pru_demo.models.split import SplitModel
from pru_demo.parameters import FineTuningParams, SalUnParams


def random_label(
    original: SplitModel,
    forget: ForgetSet,
    params: FineTuningParams,
    resume: Resume | None = None,
) -> Iterator[Step]:
    """Train on labels drawn once, uniformly among the other classes; D_f only."""
    return _relabelled(deepcopy(original), forget, params, cost_before=0, resume=resume)


def salun(
    original: SplitModel,
    forget: ForgetSet,
    params: SalUnParams,
    resume: Resume | None = None,
) -> Iterator[Step]:
    """SalUn (Fan et al., ICLR 2024) without its retain half: random labels, salient weights only.

    Salient are the ``params.share`` of all weights with the largest gradient on D_f.
    """
    model = deepcopy(original)
    for parameter, mask in zip(
        model.parameters(), salient(original, forget, params.share), strict=True
    ):
        # Without weight decay a weight whose gradient is always zero never moves.
        parameter.register_hook(mask.mul)  # type: ignore[no-untyped-call]
    return _relabelled(model, forget, params, cost_before=3 * len(forget), resume=resume)


def salient(original: SplitModel, forget: ForgetSet, share: float) -> list[Tensor]:
    """Masks (0 or 1), one per parameter, of the top ``share`` of all weights.

    They are ranked by ``|Σ ∇CE(D_f)|`` in eval mode.
    """
    model = deepcopy(original).eval()
    for batch in shuffled(len(forget), 100, seeded(forget.seed, 0)):
        index = batch.to(forget.labels.device)
        logits = model(as_input(forget.images[index]))
        loss = F.cross_entropy(logits, forget.labels[index].long(), reduction="sum")
        loss.backward()  # type: ignore[no-untyped-call]
    sizes = [torch.zeros_like(p) if p.grad is None else p.grad.abs() for p in model.parameters()]
    flat = torch.cat([size.flatten() for size in sizes])
    kept = torch.zeros_like(flat)
    kept[flat.topk(round(share * len(flat))).indices] = 1
    parts = torch.split(kept, [size.numel() for size in sizes])
    return [part.view_as(size) for part, size in zip(parts, sizes, strict=True)]


def random_labels(forget: ForgetSet, classes: int) -> Tensor:
    """(N,) labels among the classes that are kept, drawn with the scenario's seed."""
    kept = torch.tensor([c for c in range(classes) if c not in forget.classes])
    # Not the stream of an epoch: labels must not depend on the order of the first one.
    drawn = torch.randint(len(kept), (len(forget),), generator=seeded(forget.seed, 0))
    return kept[drawn].to(forget.labels.device)


def _relabelled(
    model: SplitModel,
    forget: ForgetSet,
    params: FineTuningParams | SalUnParams,
    cost_before: int,
    resume: Resume | None,
) -> Iterator[Step]:
    labels = random_labels(forget, model.classifier.out_features)
    return fine_tune(
        model,
        forget,
        params,
        lambda index, inputs, logits: F.cross_entropy(logits, labels[index]),
        name="cross-entropy",
        cost_before=cost_before,
        resume=resume,
    )
