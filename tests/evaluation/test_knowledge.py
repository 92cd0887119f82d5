"""Knowledge left: 1 at Original, 0 at Retrain, on the scale of log(1 − AUC)."""

import math

import pytest

from pru_demo.evaluation.knowledge import LEAST_ERROR, KShotAUC, alike, knowledge_left

ORIGINAL, RETRAIN = KShotAUC(0.9999, 1e-5), KShotAUC(0.99, 1e-3)
NONE = KShotAUC(None, None, "there are only 3 images")


def auc(mean: float, deviation: float = 1e-5) -> KShotAUC:
    return KShotAUC(mean, deviation)


def test_original_knows_all_and_retrain_nothing() -> None:
    assert knowledge_left(ORIGINAL, ORIGINAL, RETRAIN) == 1
    assert knowledge_left(RETRAIN, ORIGINAL, RETRAIN) == 0


def test_equal_errors_are_equal_knowledge_and_a_tenth_of_the_error_is_half_of_it() -> None:
    assert knowledge_left(auc(0.9999), ORIGINAL, RETRAIN) == 1
    assert knowledge_left(auc(0.999), ORIGINAL, RETRAIN) == pytest.approx(0.5)


def test_it_may_lie_beyond_both() -> None:
    assert knowledge_left(auc(0.99999), ORIGINAL, RETRAIN) == pytest.approx(1.5)
    assert knowledge_left(auc(0.9), ORIGINAL, RETRAIN) == pytest.approx(-0.5)


def test_an_attack_that_never_errs_has_a_place_on_the_scale() -> None:
    left = knowledge_left(auc(1.0, 0.0), ORIGINAL, RETRAIN)
    assert left == pytest.approx(math.log(LEAST_ERROR / 0.01) / math.log(1e-4 / 0.01))
    assert knowledge_left(auc(1.0, 0.0), auc(1.0, 0.0), RETRAIN) == 1


@pytest.mark.parametrize("missing", range(3))
def test_without_one_of_the_attacks_nothing_is_said(missing: int) -> None:
    attacks = [auc(0.999), ORIGINAL, RETRAIN]
    attacks[missing] = NONE
    assert knowledge_left(attacks[0], attacks[1], attacks[2]) is None
    with pytest.raises(ValueError, match="only 3 images"):
        alike(NONE, RETRAIN)


def test_an_original_that_is_not_told_from_retrain_is_no_scale() -> None:
    assert knowledge_left(auc(0.9), auc(1.0, 0.0), auc(1.0, 0.0)) is None
    assert knowledge_left(auc(0.9), auc(0.991, 1e-2), auc(0.99, 1e-2)) is None


def test_within_two_standard_errors_networks_are_alike() -> None:
    # √2 · 0.01 / √10 = 0.00447 is the standard error of a difference.
    one = auc(0.95, 0.01)
    assert alike(one, one)
    assert alike(one, auc(0.95 + 1.9 * 0.00447, 0.01))
    assert not alike(one, auc(0.95 + 2.1 * 0.00447, 0.01))
    assert alike(auc(1.0, 0.0), auc(1.0, 0.0))
    assert not alike(auc(1.0, 0.0), auc(0.9, 0.0))
