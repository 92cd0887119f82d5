"""Rows are found by pair, and originals are trained as published where that is known."""

import pytest

from pru_demo.data.published import PUBLISHED
from pru_demo.models import MODELS
from pru_demo.parameters import TrainingParams
from pru_demo.settings import ORIGINALS, best_match, original_setting

TABLE = {("a", "b"): 1, ("*", "b"): 2, ("a", "*"): 3, ("*", "*"): 4}


@pytest.mark.parametrize(
    ("dataset", "model", "row"), [("a", "b", 1), ("x", "b", 2), ("a", "x", 3), ("x", "x", 4)]
)
def test_the_most_special_row_wins(dataset: str, model: str, row: int) -> None:
    assert best_match(TABLE, dataset, model) == row


def test_the_network_counts_more_than_the_data_set() -> None:
    assert best_match({("*", "b"): 2, ("a", "*"): 3}, "a", "b") == 2


def test_a_row_may_be_false() -> None:
    assert best_match({("a", "b"): 0, ("*", "*"): 4}, "a", "b") == 0


def test_a_pair_without_a_row_is_named() -> None:
    with pytest.raises(KeyError) as caught:
        best_match({("a", "*"): 3}, "x", "y")
    assert caught.value.args == (("x", "y"),)


PAIRS = [(dataset, model) for dataset in PUBLISHED for model in MODELS]

# "Originals" in docs/methods.md: config_original.py, and section B of the supplementary.
KNOWN = {
    ("mnist", "allcnn"): TrainingParams(10, 0.01, 1e-4),
    ("cifar10", "allcnn"): TrainingParams(30, 0.1, 1e-4),
    ("cifar10", "resnet18"): TrainingParams(20, 0.01, 5e-4),
    ("cifar10", "vit-b16"): TrainingParams(1, 1e-3, 1e-4, batch_size=32),
}


def test_published_settings_are_the_known_ones_and_no_others() -> None:
    published = {
        pair: setting.params
        for pair in PAIRS
        if (setting := original_setting(*pair)).origin.startswith("published")
    }
    assert published == KNOWN


def test_momentum_and_batch_size_are_those_of_the_released_code() -> None:
    params = TrainingParams(1, 0.1, 0.0)
    assert (params.momentum, params.batch_size) == (0.9, 64)


def test_every_other_pair_says_whose_settings_it_has() -> None:
    for pair in PAIRS:
        if pair in KNOWN:
            continue
        setting = original_setting(*pair)
        assert setting.origin.startswith(("ours", "not published")), pair
        _, lent, source = setting.origin.partition("lent from ")
        if lent:
            dataset, model, *_ = source.split()
            assert setting.params == KNOWN[dataset, model], pair


def test_a_pair_of_which_nothing_is_known_has_a_setting() -> None:
    assert original_setting("", "") == ORIGINALS["*", "*"]
