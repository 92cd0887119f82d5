"""Unlearning for a network of your own, in one call.

>>> import torch
>>> from torch import nn
>>> import pru_demo
>>> network = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
>>> nines = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8)
>>> result = pru_demo.unlearn(network, nines, torch.full((64,), 9), forget={9}, method="pru")
>>> type(result.model).__name__, len(result.trace)
('Sequential', 20)
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn

from pru_demo.data.samples import as_input
from pru_demo.knobs import Value, checked_changes, knobs_of
from pru_demo.methods import METHODS
from pru_demo.methods.step import ForgetSet, RetainSet
from pru_demo.models.foreign import split_foreign
from pru_demo.parameters import Params


@dataclass(frozen=True)
class TracedStep:
    """What was known after a step of a method: see :class:`pru_demo.methods.step.Step`."""

    epoch: int
    phase: str
    losses: dict[str, float]
    forward_equivalents: int


@dataclass(frozen=True)
class Unlearned:
    """A new network, in eval mode, and how it came about.

    ``note`` is a sentence by the method where something was not as it should be.
    """

    model: nn.Module
    trace: list[TracedStep]
    note: str = ""


def unlearn(
    model: nn.Module,
    forget_images: Tensor,
    forget_labels: Tensor,
    *,
    forget: Collection[int],
    method: str = "pru",
    params: Params | None = None,
    changes: Mapping[str, Value] | None = None,
    retain: tuple[Tensor, Tensor] | None = None,
    seed: int = 7,
) -> Unlearned:
    """Make a copy of ``model`` forget the classes ``forget``; the argument is left untouched.

    ``model`` is any network that ends in a linear layer giving the logits. It gets the images as
    they are: uint8 ones scaled to 0..1, floats unchanged. If yours wants a normalisation, make it
    the network's first layer. ``forget_images`` (N, …) and ``forget_labels`` (N,) are D_f; work is
    done on the model's device. ``retain``, images and labels, is needed by the methods that say so
    in their registry entry. ``params`` replaces the method's preferred values, which were found
    for small digit networks; ``changes`` are single parameters by name that are to be others, as in
    ``{"lambda_s": 0.3}``.

    Raises ValueError with a sentence for what does not fit together.
    """
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}; there are {', '.join(METHODS)}.")
    entry = METHODS[method]
    if entry.needs_retain and retain is None:
        raise ValueError(f"{entry.label} needs retain=(images, labels), data of other classes.")
    if len(forget_images) != len(forget_labels) or len(forget_images) < 2:
        raise ValueError("There must be one label per image, and at least two images.")
    strange = set(forget_labels.tolist()) - set(forget)
    if strange:
        raise ValueError(f"There are images of class {strange.pop()}, which forget does not name.")

    chosen = params or next(iter(entry.values.of("", "").values())).params
    values, objections = checked_changes(knobs_of(chosen), changes or {})
    if objections:
        raise ValueError(" ".join(f"The call {each}" for each in objections))
    chosen = replace(chosen, **values)  # type: ignore[arg-type]

    device = next(model.parameters()).device
    images = forget_images.to(device)
    whole = split_foreign(model, as_input(images[:2]))
    known = whole.split.classifier.out_features
    if not all(0 <= c < known for c in forget) or len(set(forget)) > known - 2:
        raise ValueError(f"forget must name some of the classes 0 to {known - 1} and leave two.")

    data = ForgetSet(images, forget_labels.to(device), classes=frozenset(forget), seed=seed)

    def retained() -> RetainSet:
        assert retain is not None
        return RetainSet(retain[0].to(device), retain[1].to(device))

    trace, network, note = [], whole.split, ""
    for step in entry.start(whole.split, data, retained, chosen):
        network, note = step.model, step.note
        trace.append(TracedStep(step.epoch, step.phase, step.losses, step.forward_equivalents))
    return Unlearned(whole.join(network).eval(), trace, note)
