"""k-shot AUC on features that do or do not tell a class."""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pru_demo.data.samples import Samples
from pru_demo.evaluation.attacks import Features, Labels, attack_features, k_shot_auc
from pru_demo.evaluation.knowledge import DRAWS, SHOTS, KShotAUC
from pru_demo.evaluation.loss_attack import NoAttack
from pru_demo.evaluation.observe import TestSet as Measured
from pru_demo.methods.step import ForgetSet
from pru_demo.models.split import SplitModel
from tests.conftest import Few

D = 6


@dataclass(frozen=True)
class Given:
    """What the attack is given, of four classes."""

    others: Features
    of_class: dict[int, Features]
    test: Features
    labels: Labels

    def attack(self, seed: int = 7, **options: Any) -> dict[int, KShotAUC]:
        return k_shot_auc(self.others, self.of_class, self.test, self.labels, seed=seed, **options)


def given(apart: float, forgotten: tuple[int, ...] = (3,)) -> Given:
    """Each class around a corner of its own, ``apart`` deviations from the middle."""
    rng = np.random.default_rng(0)
    kept = [c for c in range(4) if c not in forgotten]

    def of(labels: Labels) -> NDArray[np.float64]:
        return apart * np.eye(D)[labels] + rng.normal(size=(len(labels), D))

    labels = rng.integers(4, size=400)
    mine = {c: of(np.full(80, c)) for c in forgotten}
    return Given(of(rng.choice(kept, 300)), mine, of(labels), labels)


def means_of(found: dict[int, KShotAUC]) -> list[float]:
    return [each.mean for each in found.values() if each.mean is not None]


def test_a_class_that_lies_apart_is_found_from_one_image() -> None:
    found = given(apart=8).attack()
    assert list(found) == list(SHOTS)
    assert len(means_of(found)) == 3
    assert min(means_of(found)) > 0.999
    assert {each.reason for each in found.values()} == {""}


def test_features_shuffled_among_the_test_samples_score_one_half() -> None:
    whole = given(apart=8)
    shuffled = replace(whole, test=np.random.default_rng(1).permutation(whole.test))
    # √((n + m + 1) / 12nm) ≈ 0.033 is the deviation of a guess on 100 and 300 samples.
    assert means_of(shuffled.attack()) == pytest.approx([0.5] * 3, abs=0.08)


def test_more_images_find_more_of_a_class_that_is_near() -> None:
    one, five, fifty = given(apart=2).attack().values()
    assert 0.5 < one.mean < five.mean < fifty.mean < 1  # type: ignore[operator]
    assert one.deviation > five.deviation > fifty.deviation > 0  # type: ignore[operator]


def test_it_is_fishers_direction_with_a_ridge() -> None:
    from sklearn.metrics import roc_auc_score

    near = given(apart=2)
    # All eighty images: every draw is the same.
    found = near.attack(shots=(80,))[80]
    covariance = np.cov(near.others.T, bias=True)
    covariance += 0.01 * np.trace(covariance) / D * np.eye(D)
    direction = np.linalg.inv(covariance) @ (near.of_class[3].mean(0) - near.others.mean(0))
    expected = roc_auc_score(near.labels == 3, near.test @ direction)
    assert found.mean == pytest.approx(expected, abs=1e-9)
    assert found.deviation == pytest.approx(0, abs=1e-9)


def test_turned_scaled_and_moved_features_tell_the_same() -> None:
    near = given(apart=2)
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(D, D)))

    def moved(features: Features) -> Features:
        return 5 * features @ turn + 3

    other = Given(moved(near.others), {3: moved(near.of_class[3])}, moved(near.test), near.labels)
    assert means_of(other.attack()) == pytest.approx(means_of(near.attack()), abs=1e-9)


def test_several_classes_are_averaged_and_not_told_from_each_other() -> None:
    both = given(apart=2, forgotten=(2, 3))

    def alone(forgotten: int, other: int) -> list[float]:
        there = both.labels != other
        mine = {forgotten: both.of_class[forgotten]}
        return means_of(Given(both.others, mine, both.test[there], both.labels[there]).attack())

    average = np.mean([alone(2, 3), alone(3, 2)], axis=0)
    assert means_of(both.attack()) == pytest.approx(average.tolist())


def test_the_seed_decides_the_draws() -> None:
    near = given(apart=2)
    assert near.attack(seed=1) == near.attack(seed=1)
    assert near.attack(seed=1)[1].mean != near.attack(seed=2)[1].mean
    assert DRAWS == 10


def test_more_images_than_there_are_is_a_reason_and_costs_nothing_else() -> None:
    few_shots = replace(given(apart=8), of_class={3: given(apart=8).of_class[3][:7]})
    found = few_shots.attack()
    assert len(means_of(found)) == 2
    reason = "it takes 50 new images of the class, and there are only 7"
    assert found[50] == KShotAUC(None, None, reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"of_class": {}}, "no new images of the class"),
        ({"of_class": {3: np.empty((0, D))}}, "no new images of the class"),
        ({"others": np.ones((300, D))}, "all alike"),
        ({"others": np.full((300, D), np.nan)}, "no numbers"),
        ({"test": np.full((400, D), np.inf)}, "no numbers"),
        ({"labels": np.full(400, 3)}, "lacks images"),
        ({"labels": np.full(400, 1)}, "lacks images"),
    ],
)
def test_where_there_is_nothing_to_attack_is_said(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(NoAttack, match=reason):
        replace(given(apart=8), **change).attack()


# ---- on networks ----

Material = tuple[Samples, ForgetSet, Measured]


@pytest.fixture
def material(few: Few) -> Material:
    """D_r_new without 9s, new 9s, and a test part of which nobody is shown."""
    test = Measured(*few(40, tuple(range(10))), torch.arange(0), np.arange(0, dtype=np.int32))
    nines = ForgetSet(*few(60, (9,)), classes=frozenset({9}), seed=7)
    return Samples(*few(40, tuple(range(9)))), nines, test


def test_a_covered_mouth_hides_nothing(tiny: SplitModel, material: Material) -> None:
    covered = deepcopy(tiny)
    with torch.no_grad():
        covered.classifier.weight[9] = 0
        covered.classifier.bias[9] = -20
    found = attack_features(covered, *material, seed=7)
    assert found == attack_features(tiny, *material, seed=7)
    assert means_of(found) == sorted(means_of(found))
    assert 0.7 < means_of(found)[-1] < 1


def test_a_network_that_broke_has_a_reason_for_every_k(
    tiny: SplitModel, material: Material
) -> None:
    with torch.no_grad():
        for weights in tiny.extractor.parameters():
            weights.fill_(torch.nan)
    found = attack_features(tiny, *material, seed=7)
    reason = "the features of this network are no numbers"
    assert found == dict.fromkeys(SHOTS, KShotAUC(None, None, reason))


def test_others_of_one_class_only_are_none_to_tell_it_from(
    tiny: SplitModel, material: Material, few: Few
) -> None:
    found = attack_features(tiny, Samples(*few(40, (1,))), *material[1:], seed=7)
    assert "one class only" in found[1].reason


def test_without_new_images_of_the_class_there_is_no_attack(
    tiny: SplitModel, material: Material
) -> None:
    others, of_class, test = material
    none = replace(of_class, images=of_class.images[:0], labels=of_class.labels[:0])
    found = attack_features(tiny, others, none, test, seed=7)
    assert "no new images of the class" in found[1].reason
    # A class without images is not taken for one that nobody forgets.
    half = replace(of_class, classes=frozenset({8, 9}))
    found = attack_features(tiny, others, half, test, seed=7)
    assert "no new images of the class" in found[1].reason


def test_the_network_stays_as_it_was(tiny: SplitModel, material: Material) -> None:
    tiny.train()
    before = deepcopy(tiny.state_dict())
    attack_features(tiny, *material, seed=7)
    assert tiny.training
    assert all(torch.equal(before[name], each) for name, each in tiny.state_dict().items())
