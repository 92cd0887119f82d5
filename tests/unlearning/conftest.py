"""Forty-eight real nines to forget."""

from typing import Any

import pytest

from pru_demo.unlearning.step import ForgetSet


@pytest.fixture
def nines(few: Any) -> ForgetSet:
    images, labels = few(48, (9,))
    return ForgetSet(images, labels, frozenset({9}), seed=7)
