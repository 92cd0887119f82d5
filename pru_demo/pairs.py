"""Tables with one row per pair of data set and network, and rows that hold for many pairs."""

from collections.abc import Mapping
from typing import TypeVar

Row = TypeVar("Row")
Pairs = Mapping[tuple[str, str], Row]


def best_match(table: Pairs[Row], dataset: str, model: str) -> Row:
    """The row of (dataset, model), else of ("*", model), (dataset, "*") or ("*", "*").

    Raises KeyError with the pair when none of them is there.
    """
    for pair in ((dataset, model), ("*", model), (dataset, "*"), ("*", "*")):
        if pair in table:
            return table[pair]
    raise KeyError((dataset, model))
