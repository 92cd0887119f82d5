"""Which test images are followed through a run."""

import numpy as np
import pytest

from pru_demo.data import splits as sampling
from pru_demo.data.samples import Dataset
from pru_demo.data.splits import fixed_samples


@pytest.mark.parametrize(
    ("forget", "per_forgotten", "per_other"),
    [((9,), 600, 100), ((2, 5), 300, 112), (tuple(range(8)), 75, 450)],
)
def test_forty_percent_are_forgotten_and_the_rest_is_balanced(
    mnist: Dataset, forget: tuple[int, ...], per_forgotten: int, per_other: int
) -> None:
    labels = mnist.test_labels.numpy()
    samples = fixed_samples(labels, forget)
    counts = np.bincount(labels[samples], minlength=10)
    expected = [per_forgotten if c in forget else per_other for c in range(10)]
    assert counts.tolist() == expected
    assert samples.dtype == np.int32
    assert len(np.unique(samples)) == len(samples) <= 1500


def test_samples_are_the_first_of_each_class(mnist: Dataset) -> None:
    labels = mnist.test_labels.numpy()
    samples = fixed_samples(labels, {9})
    for c in range(10):
        of_class = samples[labels[samples] == c]
        assert np.array_equal(of_class, np.flatnonzero(labels == c)[: len(of_class)])


def test_a_class_with_few_images_gives_all_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SHOWN_SAMPLES", 100)
    labels = np.array([0] * 3 + [1] * 50 + [2] * 50, dtype=np.uint8)
    counts = np.bincount(labels[fixed_samples(labels, {0})])
    assert counts.tolist() == [3, 30, 30]


def test_samples_depend_on_labels_and_classes_only(mnist: Dataset) -> None:
    labels = mnist.test_labels.numpy()
    assert np.array_equal(fixed_samples(labels, [3, 9]), fixed_samples(labels, {9, 3}))
    assert not np.array_equal(fixed_samples(labels, {9}), fixed_samples(labels, {3}))
