"""What the features of a run say, on features that are known."""

from dataclasses import replace

import numpy as np
import pytest

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment.perceived import Moment, Perceived, perceive
from pru_demo.experiment.record import RunRecord, Snapshot
from pru_demo.store.entry import decode, encode

LABELS = np.repeat(np.arange(10), 40).astype(np.uint8)
# Half of the nines are to become 4, half 7, in pairs: the probe's halves take turns.
DESTINED = np.where(LABELS == 9, np.where(np.arange(400) // 2 % 2, 4, 7), LABELS).astype(np.uint8)


def record_of(snapshots: int) -> RunRecord:
    stages = [Snapshot("original", 0, "all", 99.0, 99.0)]
    stages += [Snapshot("unlearn", i, "all", 0.0, 90.0) for i in range(1, snapshots)]
    return RunRecord(
        config=RunConfig(Scenario(), Pick("pru", "tuned")),
        params={},
        origin="a test",
        snapshots=tuple(stages),
        batch_norm_only=None,
        failure=None,
        seconds={},
        sizes={},
        forward_equivalents=0,
        made_with={},
        arrays={"labels": LABELS, "destined": DESTINED},
    )


def clusters(apart: float = 0.0) -> np.ndarray:
    """(400, 12) float16: a tight cluster per class; nines drift ``apart`` by their new class."""
    centres = 4 * np.eye(10, 12)
    noise = 0.3 * np.random.default_rng(0).normal(size=(400, 12))
    features = centres[LABELS] + noise
    sign = np.where(DESTINED == 4, 1.0, -1.0)
    features[LABELS == 9, 11] += apart * sign[LABELS == 9]
    return features.astype(np.float16)


@pytest.fixture(scope="module")
def perceived() -> Perceived:
    blind = clusters()
    # The nines lie where the fours do.
    blind[LABELS == 9] = blind[LABELS == 4][::-1]
    features = np.stack([clusters(), clusters(apart=3), blind])
    return perceive(record_of(3), {"features": features, "control": clusters(apart=3)})


def test_a_probe_finds_what_can_be_separated_and_nothing_else(perceived: Perceived) -> None:
    seen, apart, blind = (moment.probe_A_f for moment in perceived.moments)
    assert seen == apart == 100
    assert blind is not None
    assert blind < 75
    assert perceived.moments[0].probe_A_r == 100


def test_clusters_that_drift_apart_are_seen_to(perceived: Perceived) -> None:
    before, after, _ = perceived.moments
    assert before.between is not None
    assert after.between is not None
    # 3 to either side; the unit is the distance of two corners, 4 · √2.
    assert after.between == pytest.approx(6 / (4 * 2**0.5), rel=0.05)
    assert before.between < 0.1
    assert after.within == pytest.approx(before.within, rel=0.1)


def test_n_dist_has_mean_one_at_every_snapshot(perceived: Perceived) -> None:
    assert perceived.n_dist.shape == (3, 40)
    np.testing.assert_allclose(perceived.n_dist.astype(float).mean(1), 1, atol=2e-3)


def test_only_nines_have_moved(perceived: Perceived) -> None:
    moved = perceived.moved.astype(float)
    assert (moved[0] == 0).all()
    assert moved[1][LABELS != 9].max() < 0.01
    assert moved[1][LABELS == 9].min() > 0.4


def test_the_control_is_measured_like_a_snapshot(perceived: Perceived) -> None:
    assert perceived.control == perceived.moments[1]
    np.testing.assert_array_equal(perceived.control_n_dist, perceived.n_dist[1])


def test_a_network_that_diverged_is_not_measured() -> None:
    broken = np.full((400, 12), np.nan, np.float16)
    found = perceive(record_of(2), {"features": np.stack([clusters(), broken])})
    assert found.moments[1] == Moment()
    assert found.moments[0].probe_A_f == 100
    assert np.isnan(found.moved[1]).all()
    assert found.control is None


@pytest.mark.parametrize("control", [True, False])
def test_it_survives_the_store(perceived: Perceived, control: bool) -> None:
    kept = perceived if control else replace(perceived, control=None, control_n_dist=None)
    entry = kept.to_entry()
    again = Perceived.from_entry(decode(encode(entry.meta, entry.arrays)))
    assert (again.moments, again.control) == (kept.moments, kept.control)
    np.testing.assert_array_equal(again.moved, kept.moved, strict=True)
    np.testing.assert_array_equal(again.n_dist, kept.n_dist, strict=True)
    assert (again.control_n_dist is None) is not control
