"""How originals are trained: as published where that is known, and said so only there."""

import pytest

from pru_demo.data.published import PUBLISHED
from pru_demo.models import MODELS
from pru_demo.parameters import TrainingParams
from pru_demo.settings import ORIGINALS, original_setting

PAIRS = [(dataset, model) for dataset in PUBLISHED for model in MODELS]

# spec/algorithms.md 1.3: the released config_original.py, and section B of the supplementary.
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


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_every_other_pair_says_whose_settings_it_has(pair: tuple[str, str]) -> None:
    setting = original_setting(*pair)
    if pair in KNOWN:
        return
    assert setting.origin.startswith(("ours", "not published"))
    _, lent, source = setting.origin.partition("lent from ")
    if lent:
        dataset, model, *_ = source.split()
        assert setting.params == KNOWN[dataset, model]


def test_a_pair_of_which_nothing_is_known_has_a_setting() -> None:
    assert original_setting("", "") == ORIGINALS["*", "*"]
