"""Spotter: L_p here and next door, and features that point apart."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from pru_demo.data.samples import as_input, crop_and_flip
from pru_demo.methods.losses import l_p, redistribute
from pru_demo.methods.neighbours import neighbours
from pru_demo.methods.spotter import similarity, spotter
from pru_demo.methods.step import ForgetSet
from pru_demo.models.predict import accuracy, predict
from pru_demo.models.split import SplitModel, batch_norms
from pru_demo.parameters import SpotterParams
from tests.same import frozen, same
from tests.spy import spied

PARAMS = SpotterParams(learning_rate=0.01, epochs=3, batch_size=20)
ONE_STEP = replace(PARAMS, epochs=1, batch_size=48, weight_decay=0.0)


def test_defaults_are_those_of_the_released_notebook() -> None:
    params = SpotterParams()
    assert (params.lambda_images, params.lambda_neighbours, params.lambda_similarity) == (
        0.7,
        0.3,
        1.0,
    )
    assert (params.epsilon, params.pgd_step, params.pgd_steps) == (0.03, 0.01, 3)
    assert (params.learning_rate, params.momentum, params.weight_decay) == (1e-4, 0.9, 5e-4)
    assert (params.epochs, params.batch_size, params.batch_norm) == (10, 128, "frozen")


def test_similarity_is_the_mean_cosine_of_all_pairs() -> None:
    features = torch.randn(7, 5, generator=torch.Generator().manual_seed(1))
    pairs = [
        F.cosine_similarity(features[i], features[j], dim=0) for i in range(7) for j in range(i)
    ]
    assert similarity(features).item() == pytest.approx(torch.stack(pairs).mean().item(), abs=1e-6)


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ([[1.0, 0.0], [5.0, 0.0]], 1),
        ([[1.0, 0.0], [0.0, 2.0]], 0),
        ([[1.0, 0.0], [-3.0, 0.0]], -1),
    ],
    ids=["one direction", "apart", "opposite"],
)
def test_similarity_looks_at_directions_only(features: list[list[float]], expected: float) -> None:
    assert similarity(torch.tensor(features)).item() == pytest.approx(expected, abs=1e-6)


def test_one_batch_is_one_step_down_the_sum_of_the_three(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    near = neighbours(tiny, nines, epsilon=0.03, step=0.01, steps=3)
    x, by_hand = as_input(nines.images), deepcopy(tiny)
    loss = (
        0.7 * l_p(by_hand(x), redistribute(predict(tiny, x), {9}))
        + 0.3 * l_p(by_hand(near), redistribute(predict(tiny, near), {9}))
        + similarity(by_hand.features(x))
    )
    loss.backward()
    (step,) = spotter(tiny, nines, ONE_STEP)
    for before, after in zip(by_hand.parameters(), step.model.parameters(), strict=True):
        assert before.grad is not None
        torch.testing.assert_close(after, before - 0.01 * before.grad, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("loss", ["lambda_images", "lambda_neighbours", "lambda_similarity"])
def test_each_weight_counts(loss: str, tiny: SplitModel, nines: ForgetSet) -> None:
    (with_it,), (without,) = (
        spotter(tiny, nines, params) for params in (ONE_STEP, replace(ONE_STEP, **{loss: 0.0}))
    )
    assert not same(frozen(with_it.model), frozen(without.model))


def test_running_statistics_stand_still_unless_asked_to_move(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    (norm,) = batch_norms(tiny)
    for mode, still in (("frozen", True), ("train", False)):
        *_, step = spotter(tiny, nines, replace(PARAMS, batch_norm=mode))  # type: ignore[arg-type]
        (moved,) = batch_norms(step.model)
        assert norm.running_mean is not None
        assert moved.running_mean is not None
        assert torch.equal(norm.running_mean, moved.running_mean) == still


def test_it_forgets_and_disperses(tiny: SplitModel, sevens: ForgetSet) -> None:
    assert accuracy(tiny, sevens.images, sevens.labels) > 70
    *steps, last = spotter(tiny, sevens, PARAMS)
    assert accuracy(last.model, sevens.images, sevens.labels) == 0
    assert last.losses.keys() == {"L_p", "L_p, neighbours", "similarity"}
    assert last.losses["L_p"] < steps[0].losses["L_p"]
    alone = replace(PARAMS, lambda_images=0.0, lambda_neighbours=0.0)
    similarities = [step.losses["similarity"] for step in spotter(tiny, sevens, alone)]
    assert similarities == sorted(similarities, reverse=True)


def test_neighbours_are_of_the_images_as_they_are_also_where_these_are_cropped(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    spy, seen = spied(tiny)
    list(spotter(spy, replace(nines, augment=crop_and_flip), ONE_STEP))
    near = neighbours(tiny, nines, epsilon=0.03, step=0.01, steps=3)
    shown = {image.contiguous().numpy().tobytes() for image in near}
    trained = [sight.images for sight in seen if sight.training]
    as_shown = [{image.contiguous().numpy().tobytes() for image in batch} for batch in trained]
    # Of every batch the images, cropped, and then their neighbours.
    assert as_shown[1] == shown
    assert not as_shown[0] & {image.numpy().tobytes() for image in nines.images / 255}


def test_costs_are_counted_in_passes(tiny: SplitModel, nines: ForgetSet) -> None:
    costs = [step.forward_equivalents for step in spotter(tiny, nines, PARAMS)]
    # Before: the original on images and neighbours, and three steps there and back.
    before = (1 + 1 + 9) * 48
    assert costs == [before + epoch * 6 * 48 for epoch in (1, 2, 3)]
