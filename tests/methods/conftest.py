"""Forty-eight real nines to forget, as many sevens, and others to keep."""

from typing import Any

import pytest

from pru_demo.methods.step import ForgetSet, RetainSet


@pytest.fixture
def nines(few: Any) -> ForgetSet:
    images, labels = few(48, (9,))
    return ForgetSet(images, labels, classes=frozenset({9}), seed=7)


@pytest.fixture
def sevens(few: Any) -> ForgetSet:
    """A digit that the tiny network knows; it knows no nine."""
    images, labels = few(48, (7,))
    return ForgetSet(images, labels, classes=frozenset({7}), seed=7)


@pytest.fixture
def threes_and_nines(few: Any) -> ForgetSet:
    images, labels = few(24, (3, 9))
    return ForgetSet(images, labels, classes=frozenset({3, 9}), seed=7)


@pytest.fixture
def others(few: Any) -> RetainSet:
    return RetainSet(*few(10, (1, 3, 4)))
