"""The figures of perception show the numbers they are given, and in the right place."""

from dataclasses import replace

import numpy as np
import pytest

from pru_demo.experiment.perceived import CONTROL, Moment, Perceived
from pru_demo.figures.curves import Timeline
from pru_demo.figures.feature_space import (
    PerceivedRun,
    cloud_of,
    clusters_figure,
    is_whole,
    n_dist_figure,
    perception_findings,
    perception_table,
    probe_figure,
    recognised,
)
from pru_demo.figures.findings import doubt_finding, movement_finding, perception_finding
from tests.figures.records import record_with

# Labels are 9, 9, 0, 1; the class 9 is forgotten.
PREDICTED = np.array([[9, 9, 0, 1], [4, 9, 0, 1], [9, 9, 0, 1]], np.uint8)
P_F = np.array([[1, 0.9, 0, 0], [0.1, 0.6, 0, 0], [0.8, 0.9, 0, 0]], np.float16)


def run_with(method: str = "pru") -> PerceivedRun:
    record = record_with([50, 100], method)
    arrays = record.arrays | {
        "predicted": PREDICTED,
        "p_f": P_F,
        "control_predicted": np.array([4, 4, 0, 1], np.uint8),
        "control_p_f": np.array([0.2, 0.3, 0, 0], np.float16),
    }
    moments = (Moment(99, 98, 0.3, 0.2), Moment(90, 97, 0.6, 0.1), Moment(95, 96, 0.5, 0.15))
    n_dist = np.array([[1.5, 0.5], [1.25, 0.75], [1, 9]], np.float16)
    perceived = Perceived(moments, Moment(80, 90, 0.4, 0.1), np.zeros((3, 4)), n_dist, n_dist[0])
    return PerceivedRun(replace(record, arrays=arrays), perceived)


def test_a_cloud_holds_the_forgotten_samples_of_its_moment() -> None:
    cloud = cloud_of(run_with(), 1)
    assert cloud is not None
    assert cloud.n_dist.tolist() == [1.25, 0.75]
    assert cloud.p_f.astype(float) == pytest.approx([0.1, 0.6], abs=1e-3)
    assert cloud.recognised.tolist() == [False, True]


def test_what_the_mask_does_not_say_is_set_beside_what_can_be_found() -> None:
    said = perception_findings([run_with()], [run_with(m) for m in ("retrain", "original", "mask")])
    assert said == [
        "**PRU (paper)** calls 50 % of the 9s by their name; a new linear classifier on the same "
        "features finds 90 %.",
        "In Retrain's, which never met one, it finds 90 %.",
        "**Mask (control)** calls 50 % of the 9s by their name; a new linear classifier on the "
        "same features finds 90 %.",
    ]


def test_the_control_has_a_cloud_of_its_own_and_may_be_missing() -> None:
    run = run_with()
    cloud = cloud_of(run, CONTROL)
    assert cloud is not None
    assert cloud.recognised.tolist() == [False, False]
    without = replace(run, perceived=replace(run.perceived, control_n_dist=None))
    assert cloud_of(without, CONTROL) is None


def test_filled_markers_are_those_still_recognised_and_far_ones_stay_in_sight() -> None:
    run = run_with()
    cloud = cloud_of(run, 2)
    assert cloud is not None
    filled, hollow = n_dist_figure(run.record, cloud).data
    assert list(filled.x) == [1, 3]
    assert list(filled.y) == pytest.approx([80, 90], abs=0.1), "percent"
    assert "nDist %{x:.2f}, p_f %{y:.1f} %" in filled.hovertemplate
    assert len(hollow.x) == 0
    assert filled.marker.color != hollow.marker.color


def test_the_probe_is_drawn_beside_what_the_network_says() -> None:
    run, retrain = run_with(), run_with("retrain")
    figure = probe_figure([run], [retrain], Timeline.covering([run.record]))
    level, says, finds, control = figure.data
    assert list(level.y) == [90, 90]
    assert list(says.y) == [100, 50, 100]
    assert list(finds.y) == [99, 90, 95]
    assert list(control.y) == [80]
    assert list(finds.x) == [0, 1, 2]
    assert control.x[0] == 1.5


def test_clusters_are_drawn_over_time_with_their_control() -> None:
    run = run_with()
    line, control = clusters_figure([run], "within", Timeline.covering([run.record])).data
    assert list(line.y) == [0.2, 0.1, 0.15]
    assert list(control.y) == [0.1]


def test_the_table_says_what_the_figures_show() -> None:
    run = run_with()
    assert recognised(run.record, 1) == 50
    unlearned, relearned = perception_table([run]).to_dict("records")
    assert unlearned == {
        "run": "PRU (paper)",
        "moment": "Unlearned",
        "recognised, %": 50,
        "probe A_f, %": 90,
        "probe A_r, %": 97,
        "between clusters": 0.6,
        "within clusters": 0.1,
    }
    assert (relearned["moment"], relearned["probe A_f, %"]) == ("Relearned", 95)


def test_the_finding_sets_what_is_said_against_what_is_found() -> None:
    record = run_with().record
    sentence = perception_finding(record, 0.0, 96.6)
    assert "calls 0 % of the 9s by their name" in sentence
    assert "finds 97 %" in sentence


def test_a_failed_run_is_said_to_have_failed_whatever_its_features_say() -> None:
    record = run_with().record
    before = tuple(each for each in record.snapshots if each.stage != "relearn")
    record = replace(record, failure="it answers 4 whatever it sees", snapshots=before)
    for finds in (96.6, None):
        said = perception_finding(record, 0.0, finds)
        assert said == "**PRU (paper)** broke the network: it answers 4 whatever it sees."


def test_movement_is_told_up_to_where_the_run_came() -> None:
    record, moved = run_with().record, np.array([[0, 0, 0, 0], [0.8, 0.6, 0.1, 0.1], [1, 1, 1, 1]])
    assert "by 0.70 (the others by 0.10); after relearning they are 1.00" in movement_finding(
        record, moved
    )
    ended = replace(record, snapshots=record.snapshots[:2])
    assert movement_finding(ended, moved[:2]).endswith("by 0.70 (the others by 0.10).")


def diverged_at_last(run: PerceivedRun) -> PerceivedRun:
    arrays = run.record.arrays
    p_f = arrays["p_f"].copy()
    p_f[-1] = np.nan
    record = replace(run.record, arrays=arrays | {"p_f": p_f})
    return replace(without_last_features(run), record=record)


def without_last_features(run: PerceivedRun) -> PerceivedRun:
    moments = (*run.perceived.moments[:-1], Moment())
    return replace(run, perceived=replace(run.perceived, moments=moments))


def test_a_network_without_numbers_has_no_cloud_and_recognises_nothing() -> None:
    run = run_with()
    broken = diverged_at_last(run)
    assert (is_whole(run), is_whole(broken)) == (True, False)
    assert cloud_of(broken, 1) is not None
    assert cloud_of(broken, 2) is None
    assert np.isnan(recognised(broken.record, 2))
    assert not is_whole(without_last_features(run))


def test_doubts_are_spelled_out_with_their_numbers() -> None:
    record = run_with().record
    fidelity = {"trustworthiness_mean": 0.88, "movement_correlation": 0.41}
    sentence = doubt_finding(record, ["neighbourhoods", "movement"], fidelity)
    assert "neighbourhoods and movement of **PRU (paper)**" in sentence
    assert "0.88" in sentence
    assert "0.41" in sentence
    assert doubt_finding(record, [], fidelity) == ""
