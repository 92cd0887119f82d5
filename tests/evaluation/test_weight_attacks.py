"""Rows rewritten from k images, the line back to the original, weights in few bits."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from pru_demo.data.samples import Samples
from pru_demo.evaluation.attacks import draws, extract
from pru_demo.evaluation.knowledge import DRAWS
from pru_demo.evaluation.loss_attack import NoAttack
from pru_demo.evaluation.relearning import SHOTS_AN_EPOCH, with_shots
from pru_demo.evaluation.weight_attacks import rewritten_rows, rounded, straight_line
from pru_demo.methods.step import ForgetSet
from pru_demo.models.predict import accuracy
from pru_demo.models.split import SplitModel
from tests.conftest import Few


@pytest.fixture
def covered(tiny: SplitModel) -> SplitModel:
    """The tiny network with its row of the 9 covered."""
    model = deepcopy(tiny)
    with torch.no_grad():
        model.classifier.weight[9] = 0
        model.classifier.bias[9] = -20
    return model


# ---- the last layer ----

WEIGHT = np.array([[3.0, 0.0], [0.0, 5.0], [9.0, 9.0]])
BIAS = np.array([1.0, 3.0, -20.0])


def test_a_row_is_the_mean_direction_at_the_mean_norm_and_bias_of_the_others() -> None:
    # The long image counts no more than the short one: directions are averaged.
    images = np.array([[10.0, 0.0], [0.0, 1.0]])
    for rows, biases in rewritten_rows(WEIGHT, BIAS, {2: images}, k=2, seed=0):
        assert rows[:2].tolist() == WEIGHT[:2].tolist()
        assert rows[2] == pytest.approx([4 / 2**0.5, 4 / 2**0.5])
        assert biases.tolist() == [1, 3, 2]


def test_each_draw_has_other_images_and_each_class_a_row_of_its_own() -> None:
    rng = np.random.default_rng(0)
    images = {1: rng.normal(size=(40, 2)), 2: rng.normal(size=(40, 2))}
    found = list(rewritten_rows(WEIGHT, BIAS, images, k=1, seed=7))
    assert len(found) == DRAWS
    for (rows, biases), order in zip(found, draws(40, 7), strict=True):
        for c in (1, 2):
            image = images[c][order[0]]
            assert rows[c] == pytest.approx(3 * image / np.linalg.norm(image))
        assert biases.tolist() == [1, 1, 1]


def test_features_that_are_zero_make_a_row_that_is_zero() -> None:
    rows, _ = next(rewritten_rows(WEIGHT, BIAS, {2: np.zeros((3, 2))}, k=3, seed=0))
    assert rows[2].tolist() == [0, 0]


def test_it_uncovers_the_mask(covered: SplitModel, few: Few) -> None:
    images, labels = few(40, (9,))
    assert accuracy(covered, images, labels) == 0
    weight, bias = (each.detach().numpy() for each in covered.classifier.parameters())
    of_class = {9: extract(covered, few(80, (9,))[0][40:])}
    for rows, biases in rewritten_rows(weight, bias, of_class, k=5, seed=7):
        answers = (extract(covered, images) @ rows.T + biases).argmax(1)
        assert (answers == 9).mean() > 0.5


def forget_set(few: Few, each: int, classes: tuple[int, ...]) -> ForgetSet:
    return ForgetSet(*few(each, classes), classes=frozenset(classes), seed=7)


def test_a_class_without_new_images_is_a_reason(few: Few) -> None:
    of_class = replace(forget_set(few, 5, (9,)), classes=frozenset({8, 9}))
    with pytest.raises(NoAttack, match="it takes 1 new images of the class, and there are only 0"):
        with_shots(Samples(*few(5, (1,))), of_class, 1, seed=0)


def test_more_images_than_there_are_is_a_reason(few: Few) -> None:
    reason = "it takes 4 new images of the class, and there are only 3"
    with pytest.raises(NoAttack, match=reason):
        next(rewritten_rows(WEIGHT, BIAS, {2: np.zeros((3, 2))}, k=4, seed=0))
    with pytest.raises(NoAttack, match=reason):
        with_shots(Samples(*few(5, (1,))), forget_set(few, 3, (9,)), 4, seed=0)


# ---- relearning with k images ----


@pytest.mark.parametrize(("k", "each"), [(1, {64}), (5, {12, 13}), (80, {1})])
def test_k_images_are_repeated_to_sixty_four_an_epoch(few: Few, k: int, each: set[int]) -> None:
    others, of_class = Samples(*few(30, (0, 1, 2))), forget_set(few, 90, (8, 9))
    data = with_shots(others, of_class, k, seed=7)
    assert torch.equal(data.images[:90], others.images)
    assert torch.equal(data.labels[:90], others.labels)
    for label in (8, 9):
        images = data.images[data.labels == label]
        assert len(images) == max(SHOTS_AN_EPOCH, k)
        distinct, counts = torch.unique(images.flatten(1), dim=0, return_counts=True)
        assert len(distinct) == k
        assert set(counts.tolist()) == each


def test_relearning_and_the_features_are_attacked_with_the_same_images(few: Few) -> None:
    of_class = forget_set(few, 90, (9,))
    data = with_shots(Samples(*few(5, (1,))), of_class, 1, seed=7)
    assert torch.equal(data.images[-1], of_class.images[draws(90, 7)[0][0]])


# ---- the straight line ----


def test_the_line_begins_at_the_original_and_ends_at_the_unlearned_network(
    tiny: SplitModel, covered: SplitModel
) -> None:
    with torch.no_grad():
        covered.extractor[1].running_mean += 1  # type: ignore[index, operator]
    found = list(straight_line(tiny, covered, steps=4))
    assert [share for share, _ in found] == [0, 0.25, 0.5, 0.75, 1]
    for end, network in ((tiny, found[0][1]), (covered, found[-1][1])):
        for name, each in end.state_dict().items():
            assert torch.equal(network.state_dict()[name], each), name
    middle = found[2][1]
    assert torch.equal(middle.classifier.weight[9], tiny.classifier.weight[9] / 2)
    moved = middle.extractor[1].running_mean - tiny.extractor[1].running_mean  # type: ignore[index, operator]
    assert moved.tolist() == pytest.approx([0.5] * 4)


# ---- few bits ----


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_a_kernel_has_as_many_values_as_its_bits_allow(tiny: SplitModel, bits: int) -> None:
    before = deepcopy(tiny.state_dict())
    network, largest = rounded(tiny, bits), 2 ** (bits - 1) - 1
    assert all(torch.equal(each, before[name]) for name, each in tiny.state_dict().items())
    for row, was in zip(network.classifier.weight, tiny.classifier.weight, strict=True):
        steps = row / was.abs().max() * largest
        assert torch.allclose(steps, steps.round(), atol=1e-4)
        assert (row - was).abs().max() <= 0.5001 * was.abs().max() / largest
    assert torch.equal(network.classifier.bias, tiny.classifier.bias)


def test_eight_bits_cost_no_accuracy_and_weights_that_are_zero_stay_so(
    tiny: SplitModel, covered: SplitModel, few: Few
) -> None:
    images, labels = few(40, tuple(range(10)))
    known = accuracy(tiny, images, labels)
    assert accuracy(rounded(tiny, 8), images, labels) == pytest.approx(known, abs=1)
    assert rounded(covered, 2).classifier.weight[9].tolist() == [0] * 16
