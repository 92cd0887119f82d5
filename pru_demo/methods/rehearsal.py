"""Pseudo-rehearsal (Robins, 1995): keep the rest without having it.

A method that sees only D_f hears "not a 9" in every batch and nothing about what an 8 is. Here the
network is also kept to its own answers to images of its own making. They are made *from D_f only*,
by warping, combining and erasing the forgotten images, so the paper's data rule holds. Their
targets are the original's answers with the forgotten classes masked (Eq. 1 and 2).

A method that is handed a :class:`RehearsedSet` rehearses: its batches bring company along, and
:func:`with_company` adds the company's L_p to the method's own loss.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pru_demo.data.samples import Batch, as_input, seeded
from pru_demo.heartbeat import beat
from pru_demo.methods.losses import l_p, redistribute
from pru_demo.methods.step import ForgetSet, Step
from pru_demo.models.predict import predict
from pru_demo.models.split import SplitModel
from pru_demo.parameters import RehearsalParams
from pru_demo.training import Loss

# Candidates are made, a thousand at once, until every class has its share of the pool or there are
# this many times the pool: a class that no warp of a 1 looks like is not worth waiting for.
CANDIDATES_PER_PLACE = 8
CANDIDATES_AT_ONCE = 1000

# The warp at strength 1: shear in degrees, scale per axis, shift as a share of the image.
SHEAR, SMALLEST, LARGEST, SHIFT = 30.0, 0.6, 1.2, 0.15


def rehearsing(
    begin: Callable[[ForgetSet], Iterator[Step]],
    original: SplitModel,
    forget: ForgetSet,
    params: RehearsalParams,
) -> Iterator[Step]:
    """The steps of the method that ``begin`` starts, with a pool made once and for all of them.

    Raises ValueError for what are no images with pixels between 0 and 1.
    """
    pool = make_pool(original, forget, params)
    company = RehearsedSet(
        forget.images,
        forget.labels,
        forget.augment,
        classes=forget.classes,
        seed=forget.seed,
        pool=pool,
        params=params,
    )
    for step in begin(company):
        # Every candidate was shown to the original once.
        cost = step.forward_equivalents + pool.candidates
        yield replace(step, forward_equivalents=cost, note=pool.note())


@dataclass(frozen=True)
class Pool:
    """Images (N, C, H, W) in the order of the kept class they look like most, and p̃ (N, K).

    ``counts`` (K,), on the CPU, is how many there are of each class, ``kept`` which classes there
    should be, ``candidates`` how many images were made to find them.
    """

    images: Tensor
    targets: Tensor
    counts: Tensor
    kept: tuple[int, ...]
    candidates: int

    def draw(self, count: int, balanced: bool, generator: torch.Generator) -> Tensor:
        """Places (count,) of images, with repetition; ``balanced``: of all classes equally many."""
        if not balanced:
            return torch.randint(len(self.images), (count,), generator=generator)
        present = self.counts.nonzero().squeeze(1)
        turn = torch.randint(len(present), (1,), generator=generator) + torch.arange(count)
        of_class = present[turn % len(present)]
        first = self.counts.cumsum(0) - self.counts
        within = torch.rand(count, generator=generator) * self.counts[of_class]
        return first[of_class] + within.long()

    def note(self) -> str:
        """A sentence on classes that nothing is rehearsed of, "" if there are none."""
        absent = [str(c) for c in self.kept if not self.counts[c]]
        if not absent:
            return ""
        word = "class" if len(absent) == 1 else "classes"
        return (
            f"No warped image was taken for {word} {', '.join(absent)}, so the pool rehearses only "
            "the others."
        )


@dataclass(frozen=True)
class RehearsedBatch(Batch):
    """A batch of D_f with ``company`` (P, C, H, W) from the pool, whose targets are p̃ (P, K).

    ``weight`` is that of the company's loss.
    """

    company: Tensor
    targets: Tensor
    weight: float

    @property
    def inputs(self) -> Tensor:
        return torch.cat([self.x, self.company])


@dataclass(frozen=True)
class RehearsedSet(ForgetSet):
    """D_f, each of whose batches brings images of the pool along, as ``params`` ask."""

    pool: Pool = field(kw_only=True)
    params: RehearsalParams = field(kw_only=True)

    @property
    def inputs(self) -> int:
        return len(self) + self._company_of(len(self))

    def _company_of(self, size: int) -> int:
        """How many images of the pool make the share of the whole with ``size`` others."""
        share = self.params.rehearsal_share
        return max(1, round(size * share / (1 - share)))

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Batch]:
        for batch in super().batches(size, generator):
            drawn = self.pool.draw(
                self._company_of(len(batch)), self.params.rehearsal_balanced, generator
            ).to(batch.index.device)
            company = as_input(self.pool.images[drawn]), self.pool.targets[drawn]
            weight = self.params.rehearsal_weight
            yield RehearsedBatch(batch.index, batch.x, batch.y, *company, weight)


def with_company(loss_of: Loss) -> Loss:
    """``loss_of`` a batch's own logits plus L_p of its company, if it has any."""

    def loss(logits: Tensor, batch: Batch) -> Tensor:
        if not isinstance(batch, RehearsedBatch):
            return loss_of(logits, batch)
        own, rest = logits[: len(batch)], logits[len(batch) :]
        return loss_of(own, batch) + company_l_p(rest, batch)

    return loss


def company_l_p(logits: Tensor, batch: RehearsedBatch) -> Tensor:
    """L_p of the company's logits (P, K or more), by its weight.

    The target of outputs that the original lacks is 0.
    """
    more = logits.shape[1] - batch.targets.shape[1]
    return batch.weight * l_p(logits, F.pad(batch.targets, (0, more)))


def make_pool(original: SplitModel, forget: ForgetSet, params: RehearsalParams) -> Pool:
    """Warps of ``forget``'s images, at most as many per kept class as its share of the pool.

    The class is the most probable among the kept ones, also of what the original takes for a
    forgotten one. Raises ValueError for what are no images with pixels between 0 and 1.
    """
    _insist_on_images(forget.images)
    classes = original.classifier.out_features
    kept = tuple(c for c in range(classes) if c not in forget.classes)
    each = max(1, params.rehearsal_pool // len(kept))
    generator = seeded(forget.seed, 0, 3)
    images, targets = forget.images[:0], original.classifier.weight.new_zeros(0, classes)
    made, counts = 0, torch.zeros(classes, dtype=torch.long)
    while made < CANDIDATES_PER_PLACE * params.rehearsal_pool and counts[list(kept)].min() < each:
        candidates = warped(forget.images, CANDIDATES_AT_ONCE, params, generator)
        made += len(candidates)
        p = redistribute(predict(original, candidates), forget.classes)
        images, targets = torch.cat([images, candidates]), torch.cat([targets, p])
        order = _first_of_each(targets.argmax(1), each)
        images, targets = images[order], targets[order]
        counts = torch.bincount(targets.argmax(1), minlength=classes).cpu()
        beat()
    return Pool(images, targets, counts, kept, made)


def _insist_on_images(images: Tensor) -> None:
    if images.ndim != 4:
        raise ValueError(
            "Rehearsal warps images (N, C, H, W), and these are none; set rehearsal_pool to 0."
        )
    if images.is_floating_point() and not 0 <= images.min() <= images.max() <= 1:
        raise ValueError(
            "Rehearsal warps pixels between 0 and 1. Make your normalisation the network's first "
            "layer, or set rehearsal_pool to 0."
        )


def _first_of_each(taken_for: Tensor, most: int) -> Tensor:
    """Places of the first ``most`` of each class in ``taken_for`` (N,), sorted by class."""
    order = taken_for.argsort(stable=True)
    sorted_classes = taken_for[order]
    rank = torch.arange(len(order), device=order.device)
    first = torch.searchsorted(sorted_classes, sorted_classes)
    return order[rank - first < most]


def warped(
    images: Tensor, count: int, params: RehearsalParams, generator: torch.Generator
) -> Tensor:
    """``count`` new images made of ``images`` (N, C, H, W), in the same type of number.

    Each is a random affine warp (any rotation and reflection, shear, scale, shift), combined with
    up to ``rehearsal_combined`` − 1 others, and every second one loses a rectangle. Grey images are
    combined by the pixelwise maximum; colours by putting a rectangle of the other in, after which
    their gain, offset and channels change. ``generator`` lives on the CPU.
    """
    made = _affine(images, count, params, generator)
    combined = torch.randint(params.rehearsal_combined, (count,), generator=generator)
    for more in range(1, params.rehearsal_combined):
        other = _affine(images, count, params, generator)
        if images.shape[1] == 1:
            mixed = torch.maximum(made, other)
        else:
            mixed = torch.where(_rectangles(made, generator), other, made)
        made = torch.where(_each(combined >= more, made), mixed, made)
    erased = _each(torch.rand(count, generator=generator) < 0.5, made)
    made = torch.where(erased & _rectangles(made, generator), 0.0, made)
    if images.shape[1] > 1:
        made = _recoloured(made, generator)
    if images.is_floating_point():
        return made.clamp(0, 1)
    return made.mul(255).round().clamp(0, 255).to(images.dtype)


def _affine(
    images: Tensor, count: int, params: RehearsalParams, generator: torch.Generator
) -> Tensor:
    """``count`` of the ``images`` as floats in 0..1, each warped in its own way."""

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    chosen = torch.randint(len(images), (count,), generator=generator).to(images.device)
    strength = params.rehearsal_warp
    angle = uniform(-torch.pi, torch.pi) * min(1.0, strength)
    shear = torch.deg2rad(uniform(-SHEAR, SHEAR) * strength).tan()
    scale = 1 + strength * uniform(SMALLEST - 1, LARGEST - 1, 2)
    mirrored = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0) if strength else torch.ones(count)
    cos, sin = angle.cos(), angle.sin()
    # grid_sample asks where each pixel comes from, so scales are inverted.
    x, y = mirrored / scale[:, 0], 1 / scale[:, 1]
    linear = torch.stack([cos * x, (shear * cos - sin) * y, sin * x, (shear * sin + cos) * y], 1)
    # Its coordinates run from −1 to 1, twice the image's size.
    shift = 2 * SHIFT * strength * uniform(-1, 1, 2)
    theta = torch.cat([linear.view(-1, 2, 2), shift[:, :, None]], 2).to(images.device)
    pixels = images[chosen].float() / (1 if images.is_floating_point() else 255)
    grid = F.affine_grid(theta, list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, align_corners=False)


def _rectangles(images: Tensor, generator: torch.Generator) -> Tensor:
    """Masks (N, 1, H, W) of a rectangle each, a quarter to a half of either side long."""
    sides = []
    for length in images.shape[2:]:
        size = length * (0.25 + 0.25 * torch.rand(len(images), 1, generator=generator))
        start = torch.rand(len(images), 1, generator=generator) * (length - size)
        at = torch.arange(length)
        sides.append((at >= start) & (at < start + size))
    return (sides[0][:, None, :, None] & sides[1][:, None, None, :]).to(images.device)


def _recoloured(images: Tensor, generator: torch.Generator) -> Tensor:
    """Colours (N, C, H, W) with another gain, offset and order of channels each."""
    count, channels = images.shape[:2]
    gain = 0.7 + 0.6 * torch.rand(count, channels, 1, 1, generator=generator)
    offset = 0.2 * torch.rand(count, channels, 1, 1, generator=generator) - 0.1
    order = torch.rand(count, channels, generator=generator).argsort(1).to(images.device)
    rows = torch.arange(count, device=images.device)[:, None]
    return images[rows, order] * gain.to(images.device) + offset.to(images.device)


def _each(chosen: Tensor, images: Tensor) -> Tensor:
    """``chosen`` (N,) as a mask over images (N, C, H, W)."""
    return chosen.view(-1, 1, 1, 1).to(images.device)
