"""A pool made of nothing but the forgotten images, and what it adds to a method."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
import torch

from pru_demo.data.samples import seeded
from pru_demo.methods import METHODS
from pru_demo.methods.losses import l_p, redistribute
from pru_demo.methods.rehearsal import (
    CANDIDATES_AT_ONCE,
    CANDIDATES_PER_PLACE,
    Pool,
    RehearsedBatch,
    RehearsedSet,
    make_pool,
    rehearsing,
    warped,
)
from pru_demo.methods.step import ForgetSet, Step
from pru_demo.models.predict import predict
from pru_demo.models.split import SplitModel
from pru_demo.parameters import (
    FineTuningParams,
    Params,
    PRUParams,
    RehearsalParams,
    as_json,
)
from tests.same import frozen, same

SMALL = RehearsalParams(rehearsal_pool=90)
PRU = PRUParams(0.02, 0.02, epochs=2, batch_size=20, rehearsal_pool=90)
DELETE = FineTuningParams(0.05, epochs=2, batch_size=20, rehearsal_pool=90)
REHEARSABLE = {
    name: next(iter(method.values.of("mnist", "allcnn-small").values())).params
    for name, method in METHODS.items()
    if isinstance(
        next(iter(method.values.of("mnist", "allcnn-small").values())).params, RehearsalParams
    )
}


def start(name: str, original: SplitModel, forget: ForgetSet, params: Params) -> Iterator[Step]:
    """As the application starts it, with no image of any other class to be had."""

    def retain() -> Any:
        raise AssertionError("rehearsal asked for D_r")

    return METHODS[name].start(original, forget, retain, params)


def test_the_pool_is_made_of_the_forgotten_images_alone(tiny: SplitModel, nines: ForgetSet) -> None:
    """Warps of black images are black, and none is brighter than the brightest it is made of."""
    black = replace(nines, images=torch.zeros_like(nines.images))
    assert make_pool(tiny, black, SMALL).images.max() == 0
    grey = replace(nines, images=nines.images.clamp(max=100))
    assert 50 < make_pool(tiny, grey, SMALL).images.max() <= 100
    assert torch.equal(
        make_pool(tiny, nines, SMALL).images, make_pool(tiny, nines, SMALL).images
    ), "the seed of the forget set decides"


def test_targets_are_the_masked_answers_of_the_original(
    tiny: SplitModel, threes_and_nines: ForgetSet
) -> None:
    pool = make_pool(tiny, threes_and_nines, SMALL)
    expected = redistribute(predict(tiny, pool.images), {3, 9})
    torch.testing.assert_close(pool.targets, expected)
    assert (pool.targets[:, [3, 9]] == 0).all()


def test_each_kept_class_gets_its_share_and_no_more(tiny: SplitModel, nines: ForgetSet) -> None:
    pool = make_pool(tiny, nines, SMALL)
    assert pool.counts[9] == 0
    assert pool.counts.max() == 10
    assert pool.counts.sum() == len(pool.images) == len(pool.targets)
    taken_for = pool.targets.argmax(1)
    assert torch.equal(taken_for, taken_for.sort().values)
    assert pool.candidates % CANDIDATES_AT_ONCE == 0
    most = CANDIDATES_PER_PLACE * SMALL.rehearsal_pool + CANDIDATES_AT_ONCE
    assert CANDIDATES_AT_ONCE <= pool.candidates < most


def test_a_class_that_nothing_looks_like_is_named_and_the_others_go_on(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    with torch.no_grad():
        assert tiny.classifier.bias is not None
        tiny.classifier.bias[[2, 7]] = -1e3
    *_, last = start("pru", tiny, nines, PRU)
    assert last.note == (
        "No warped image was taken for classes 2, 7, so the pool rehearses only the others."
    )


def pool_of(counts: list[int]) -> Pool:
    size = sum(counts)
    targets = torch.eye(len(counts)).repeat_interleave(torch.tensor(counts), 0)
    kept = tuple(range(1, len(counts)))
    return Pool(torch.zeros(size, 1, 4, 4), targets, torch.tensor(counts), kept, size)


def test_balanced_draws_take_every_present_class_equally_often() -> None:
    pool = pool_of([0, 1, 0, 40, 9])
    drawn = pool.targets[pool.draw(600, True, seeded(1))].argmax(1)
    assert torch.bincount(drawn, minlength=5).tolist() == [0, 200, 0, 200, 200]
    places = pool.draw(6000, True, seeded(2))
    assert set(places.tolist()) == set(range(50)), "every image can be drawn"
    drawn = pool.targets[pool.draw(6000, False, seeded(1))].argmax(1)
    assert torch.bincount(drawn, minlength=5)[3] / 6000 == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("share, company", [(0.5, 20), (0.2, 5), (0.9, 180)])
def test_company_is_the_share_of_a_batch(
    tiny: SplitModel, nines: ForgetSet, share: float, company: int
) -> None:
    seen: list[RehearsedBatch] = []

    def begin(data: ForgetSet) -> Iterator[Step]:
        assert isinstance(data, RehearsedSet)
        for batch in data.batches(20, seeded(0)):
            assert isinstance(batch, RehearsedBatch)
            seen.append(batch)
        yield Step(1, "all", tiny, data.inputs)

    params = replace(PRU, rehearsal_share=share)
    (step,) = rehearsing(begin, tiny, nines, params)
    pool = make_pool(tiny, nines, params)
    assert [len(batch) for batch in seen] == [20, 20, 8]
    assert [len(batch.company) for batch in seen[:2]] == [company, company]
    assert step.forward_equivalents == pool.candidates + round(48 / (1 - share))
    for batch in seen:
        assert torch.equal(batch.inputs[: len(batch)], batch.x)
        assert torch.equal(batch.inputs[len(batch) :], batch.company)
        torch.testing.assert_close(
            batch.targets, redistribute(tiny(batch.company), {9}), rtol=0, atol=1e-5
        )


def test_without_strength_nothing_is_warped(nines: ForgetSet) -> None:
    still = RehearsalParams(rehearsal_pool=1, rehearsal_warp=0.0, rehearsal_combined=1)
    made = warped(nines.images, 60, still, seeded(3))
    assert made.dtype == torch.uint8
    apart = (made[:, None].float() - nines.images[None].float()).abs().flatten(2)
    untouched = apart.amax(2).amin(1) <= 1
    assert 15 < untouched.sum() < 45, "every second one loses a rectangle"
    # Where something is missing the rest is as it was.
    same_pixels = (apart <= 1).float().mean(2).amax(1)
    assert (same_pixels > 0.6).all()


def test_more_warps_in_one_leave_more_ink(nines: ForgetSet) -> None:
    ink = [
        warped(nines.images, 400, replace(SMALL, rehearsal_combined=n), seeded(3)).float().mean()
        for n in (1, 2, 4)
    ]
    assert ink[0] < ink[1] < ink[2]


def test_colours_are_warped_as_colours() -> None:
    images = torch.rand(8, 3, 10, 12, generator=seeded(1))
    made = warped(images, 30, SMALL, seeded(2))
    assert made.shape == (30, 3, 10, 12)
    assert made.is_floating_point()
    assert 0 <= made.min() < made.max() <= 1
    assert torch.equal(made, warped(images, 30, SMALL, seeded(2)))


def test_what_are_no_images_cannot_be_warped(tiny: SplitModel, nines: ForgetSet) -> None:
    flat = replace(nines, images=nines.images.flatten(1))
    with pytest.raises(ValueError, match="set rehearsal_pool to 0"):
        make_pool(tiny, flat, SMALL)


@pytest.mark.parametrize("name", REHEARSABLE)
def test_any_method_that_sees_only_d_f_can_rehearse(
    name: str, tiny: SplitModel, nines: ForgetSet
) -> None:
    changes: Any = {"epochs": 1, "batch_size": 16, "rehearsal_pool": 90}
    params = replace(REHEARSABLE[name], **changes)
    alone = [frozen(s.model) for s in start(name, tiny, nines, replace(params, rehearsal_pool=0))]
    together = [frozen(step.model) for step in start(name, tiny, nines, params)]
    assert len(together) == len(alone) > 0
    assert not any(same(one, other) for one, other in zip(alone, together, strict=True))


def test_only_methods_that_never_see_d_r_can_be_given_rehearsal() -> None:
    assert {"pru", "delete", "boundary_shrink", "random_label"} <= set(REHEARSABLE)
    assert not any(METHODS[name].needs_retain for name in REHEARSABLE)


def test_one_batch_of_delete_is_one_step_down_both_losses(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    params = replace(DELETE, epochs=1, batch_size=48)
    batches: list[Any] = []

    def note(data: ForgetSet) -> Iterator[Step]:
        batches.extend(data.batches(48, seeded(nines.seed, 1)))
        yield Step(1, "all", tiny, 0)

    list(rehearsing(note, tiny, nines, params))
    (batch,) = batches
    by_hand = frozen(tiny)
    model = tiny.train()
    targets = torch.cat([redistribute(predict(tiny, nines.images), {9})[batch.index]])
    logits = model(batch.inputs)
    loss = l_p(logits[:48], targets) + l_p(logits[48:], batch.targets)
    gradient = torch.autograd.grad(loss, model.classifier.weight)[0]
    for name, buffer in model.named_buffers():
        buffer.copy_(by_hand[name])  # the pass above moved BatchNorm
    (step,) = start("delete", model.eval(), nines, params)
    after = step.model.classifier.weight
    expected = by_hand["classifier.weight"] - 0.05 * gradient
    torch.testing.assert_close(after, expected, rtol=0, atol=1e-5)
    assert step.losses == {"L_p + L_p of the pool": pytest.approx(loss.item(), rel=1e-4)}


def test_without_weight_only_batch_norm_sees_the_pool(tiny: SplitModel, nines: ForgetSet) -> None:
    """Frozen BatchNorm sees nothing, and so the pool changes nothing at all."""
    still = replace(PRU, rehearsal_weight=0.0, batch_norm="frozen")
    *_, alone = start("pru", tiny, nines, replace(still, rehearsal_pool=0))
    after_alone = frozen(alone.model)
    *_, silent = start("pru", tiny, nines, still)
    for name, weight in frozen(silent.model).items():
        torch.testing.assert_close(weight, after_alone[name], rtol=0, atol=1e-5)
    *_, moving = start("pru", tiny, nines, replace(still, batch_norm="train"))
    assert not same(frozen(moving.model), after_alone)


def test_both_steps_of_pru_rehearse(tiny: SplitModel, nines: ForgetSet) -> None:
    e_step, c_step = list(start("pru", tiny, nines, replace(PRU, epochs=1)))
    assert "L_p of the pool" in e_step.losses
    assert set(c_step.losses) == {"L_p", "L_p of the pool"}
    candidates = make_pool(tiny, nines, PRU).candidates
    assert c_step.forward_equivalents == candidates + 48 + 3 * 96 + 96


def test_it_keeps_the_answers_to_the_other_classes(
    tiny: SplitModel, nines: ForgetSet, few: Any
) -> None:
    images, _ = few(40, (0, 1, 2, 3, 4, 5, 6, 7, 8))
    answers = redistribute(predict(tiny, images), {9})

    def drift(pool: int) -> float:
        params = replace(DELETE, learning_rate=0.5, epochs=20, rehearsal_pool=pool)
        *_, last = start("delete", tiny, nines, params)
        return l_p(predict(last.model, images), answers).item()

    assert drift(900) < drift(0) / 3


def test_off_is_named_nowhere_and_on_only_by_what_was_set() -> None:
    off = as_json(replace(PRU, rehearsal_pool=0))
    assert not any(name.startswith("rehearsal") for name in off)
    later = {each.name for each in fields(RehearsalParams)}
    assert set(off) == {each.name for each in fields(PRUParams)} - later
    on = as_json(replace(PRU, rehearsal_share=0.4))
    assert {n: v for n, v in on.items() if n in later} == {
        "rehearsal_pool": 90,
        "rehearsal_share": 0.4,
    }
