"""The table says which images a method was given, and none that it was not."""

import pytest

from pru_demo.figures.run_tables import facts_table
from tests.figures.records import record_with


@pytest.mark.parametrize(
    ("method", "sees", "images"),
    [
        ("pru", "D_f", 1280),
        ("scrub", "D_f and D_r", 1280),
        ("retrain", "D_r", 0),
        ("original", "nothing", 0),
        ("mask", "nothing", 0),
        ("head_only", "D_f", 1280),
    ],
)
def test_a_method_sees_what_it_is_given(method: str, sees: str, images: int) -> None:
    (row,) = facts_table([record_with([0, 99], method)]).to_dict("records")
    assert (row["sees"], row["D_f images"]) == (sees, images)
