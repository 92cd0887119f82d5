"""Membership inference on losses that do or do not give their owner away."""

import numpy as np
import pytest

from pru_demo.evaluation.loss_attack import NoAttack, loss_attack, rank_auc


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_separated_losses_give_every_sample_away(rng: np.random.Generator) -> None:
    found = loss_attack(rng.uniform(0, 1, 60), rng.uniform(5, 6, 60), seed=0)
    assert (found.accuracy, found.auc, found.per_side) == (1, 1, 60)


def test_unusually_large_losses_give_away_as_much_as_small_ones(rng: np.random.Generator) -> None:
    found = loss_attack(rng.uniform(5, 6, 60), rng.uniform(0, 1, 60), seed=0)
    assert (found.accuracy, found.auc) == (1, 0)


def test_losses_of_one_kind_give_nothing_away(rng: np.random.Generator) -> None:
    found = loss_attack(rng.exponential(size=2000), rng.exponential(size=2000), seed=0)
    assert found.accuracy == pytest.approx(0.5, abs=0.04)
    assert found.auc == pytest.approx(0.5, abs=0.03)


def test_identical_losses_have_an_area_of_exactly_one_half(rng: np.random.Generator) -> None:
    losses = rng.exponential(size=50)
    assert rank_auc(losses, losses) == pytest.approx(0.5, abs=1e-12)
    assert rank_auc(np.zeros(7), np.zeros(5)) == 0.5


def test_area_counts_pairs_and_halves_ties() -> None:
    trained, unseen = np.array([1.0, 2.0, 4.0]), np.array([2.0, 3.0])
    # Smaller: (1,2) (1,3) (2,3); equal: (2,2); larger: (4,2) (4,3).
    assert rank_auc(trained, unseen) == pytest.approx(3.5 / 6)


def test_area_is_that_of_scikit_learn(rng: np.random.Generator) -> None:
    from sklearn.metrics import roc_auc_score

    trained, unseen = rng.integers(9, size=80) / 4, rng.integers(3, 12, size=50) / 4
    expected = roc_auc_score(np.repeat([1, 0], [80, 50]), -np.concatenate([trained, unseen]))
    assert rank_auc(trained, unseen) == pytest.approx(expected)


def test_the_larger_side_does_not_win_by_its_size(rng: np.random.Generator) -> None:
    found = loss_attack(rng.exponential(size=3000), rng.exponential(size=300), seed=0)
    assert found.per_side == 300
    # Always saying "trained" would be right in 91 % of the cases without balancing.
    assert found.accuracy == pytest.approx(0.5, abs=0.08)


def test_the_seed_decides_what_is_drawn_and_the_area_does_not_depend_on_it(
    rng: np.random.Generator,
) -> None:
    trained, unseen = rng.exponential(size=500), 1.3 * rng.exponential(size=60)
    one, again, other = (loss_attack(trained, unseen, seed) for seed in (1, 1, 2))
    assert one == again
    assert one.accuracy != other.accuracy
    assert one.auc == other.auc


def test_one_exploded_loss_does_not_decide_alone(rng: np.random.Generator) -> None:
    trained, unseen = rng.uniform(0, 1, 100), rng.uniform(5, 6, 100)
    unseen[0] = np.inf
    found = loss_attack(trained, unseen, seed=0)
    assert found.accuracy > 0.95
    assert found.auc == 1


def test_the_area_sees_tiny_losses_where_the_classifier_is_blind(rng: np.random.Generator) -> None:
    found = loss_attack(rng.uniform(1e-7, 2e-7, 60), rng.uniform(3e-7, 4e-7, 60), seed=0)
    assert found.accuracy == pytest.approx(0.5, abs=0.01)
    assert found.auc == 1


def test_losses_that_are_no_numbers_are_refused(rng: np.random.Generator) -> None:
    losses = rng.exponential(size=20)
    broken = np.append(losses, np.nan)
    for sides in ((broken, losses), (losses, broken)):
        with pytest.raises(NoAttack, match="no numbers"):
            loss_attack(*sides, seed=0)


@pytest.mark.parametrize("size", [0, 4])
def test_fewer_samples_than_folds_are_refused(size: int) -> None:
    few, many = np.arange(float(size)), np.arange(40.0)
    for sides in ((few, many), (many, few)):
        with pytest.raises(NoAttack, match=f"5 images of each kind, and there are only {size} of"):
            loss_attack(*sides, seed=0)
    assert loss_attack(np.arange(5.0), many, seed=0).per_side == 5
