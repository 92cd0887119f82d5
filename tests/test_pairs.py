"""The most special row wins, and the network counts more than the data set."""

import pytest

from pru_demo.settings import best_match

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
