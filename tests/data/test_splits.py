"""The published split, and that relearning sees the same data whatever the method."""

import numpy as np
import pytest

from pru_demo.data.samples import Dataset
from pru_demo.data.splits import Split, not_of_classes, of_classes, relearning_split, trial_split

SIZE = 60_000


@pytest.fixture(scope="module")
def split() -> Split:
    return trial_split(SIZE, 7)


@pytest.mark.parametrize(
    ("seed", "first"),
    [(7, [25170, 10935, 43596, 13970, 24883]), (8, [32997, 56059, 13395])],
)
def test_split_starts_as_published(seed: int, first: list[int]) -> None:
    assert trial_split(SIZE, seed).train[: len(first)].tolist() == first


def test_parts_have_the_published_sizes(split: Split) -> None:
    sizes = [len(part) for part in (split.train, split.validation, split.new)]
    assert sizes == [38_400, 9_600, 12_000]


def test_parts_are_disjoint_and_complete(split: Split) -> None:
    together = np.concatenate([split.train, split.validation, split.new])
    assert np.array_equal(np.sort(together), np.arange(SIZE))


def test_splitting_leaves_the_global_random_state_alone() -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]  # noqa: NPY002
    trial_split(SIZE, 7)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index, union-attr]  # noqa: NPY002


@pytest.mark.parametrize("size", [5, 17, 1003])
def test_any_size_is_split_without_loss(size: int) -> None:
    split = trial_split(size, 7)
    together = np.concatenate([split.train, split.validation, split.new])
    assert sorted(together) == list(range(size))


def test_class_masks_complement_each_other_and_keep_the_order() -> None:
    labels = np.array([3, 1, 9, 9, 0, 3], dtype=np.uint8)
    indices = np.array([5, 3, 0, 4, 2])
    assert of_classes(labels, indices, {9, 3}).tolist() == [5, 3, 0, 2]
    assert not_of_classes(labels, indices, {9, 3}).tolist() == [4]
    assert of_classes(labels, indices, [7]).tolist() == []


def test_forget_set_of_a_class_has_the_size_stated_in_the_paper(
    mnist: Dataset, split: Split
) -> None:
    labels = mnist.train_labels.numpy()
    d_f = of_classes(labels, split.train, {9})
    d_f_new = of_classes(labels, split.new, {9})
    assert len(d_f) == pytest.approx(3_800, rel=0.02)
    assert len(d_f_new) / len(d_f) == pytest.approx(0.3125, rel=0.05)
    assert set(labels[d_f]) == {9}


def test_relearning_split_is_fixed_by_the_seed(split: Split) -> None:
    one, held_out = relearning_split(split.new, 7)
    again, _ = relearning_split(split.new, 7)
    other, _ = relearning_split(split.new, 8)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert (len(one), len(held_out)) == (9_600, 2_400)
    assert np.array_equal(np.sort(np.concatenate([one, held_out])), np.sort(split.new))


def test_relearning_split_does_not_change_its_argument(split: Split) -> None:
    before = split.new.copy()
    relearning_split(split.new, 7)
    assert np.array_equal(before, split.new)
