"""Published numbers are shown as printed, or not at all."""

import pytest

from pru_demo.methods import METHODS
from pru_demo.paper.printed import printed, printed_relearning


def test_table_1_is_as_printed() -> None:
    table = printed()["table1"]["DM-A"]
    assert table["original"] == {"A_r": 99.40, "A_f": 99.38}
    assert table["pru"]["f"] == {"A_r": 84.98, "A_f": 0.00}
    assert table["boundary_shrink"]["f"] == {"A_r": 79.54, "A_f": 13.18}
    assert printed()["table1"]["C10-R"]["pru"]["f_new"] == {"A_r": 84.39, "A_f": 12.10}


@pytest.mark.parametrize("model", ["allcnn", "allcnn-small"])
def test_table_2_is_as_printed(model: str) -> None:
    assert printed_relearning("mnist", model, "pru") == {
        "epochs": [1, 5, 10],
        "A_r": [99.1, 99.4, 99.5],
        "A_f": [9.0, 4.8, 2.7],
    }
    shrink = printed_relearning("mnist", model, "boundary_shrink")
    assert shrink is not None
    assert shrink["A_f"] == [75.6, 72.7, 71.7]


@pytest.mark.parametrize(
    ("dataset", "model", "method"),
    [("mnist", "vit", "pru"), ("svhn", "allcnn", "pru"), ("mnist", "allcnn", "negative_gradient")],
)
def test_what_was_not_published_is_none(dataset: str, model: str, method: str) -> None:
    assert printed_relearning(dataset, model, method) is None


def test_every_method_here_that_the_paper_relearns_is_found_under_our_name() -> None:
    names = {m for m in METHODS if printed_relearning("mnist", "allcnn", m)}
    assert names == {"pru", "boundary_shrink", "unroll", "unroll_of", "retrain", "original"}


def test_reading_a_row_does_not_change_the_table() -> None:
    row = printed_relearning("mnist", "allcnn", "pru")
    assert row is not None
    row["epochs"] = []
    again = printed_relearning("mnist", "allcnn", "pru")
    assert again is not None
    assert again["epochs"] == [1, 5, 10]
