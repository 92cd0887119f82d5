"""A record says everything that a page shows, before and after it was stored."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment.record import RunRecord, RunResult, Snapshot
from pru_demo.store.entry import decode, encode

CONFIG = RunConfig(Scenario(forget=(2, 9)), Pick("pru", "tuned"))
SNAPSHOTS = (
    Snapshot("original", 0, "all", 99.0, 98.0),
    Snapshot("unlearn", 1, "E", 50.0, 97.0, {"L_p": 1.5}),
    Snapshot("unlearn", 1, "C", 1.0, 90.0, {"L_p": 0.5}),
    Snapshot("relearn", 1, "all", 20.0, 95.0, {"cross-entropy": 0.1}),
    Snapshot("relearn", 2, "all", 30.0, 96.0, {"cross-entropy": 0.1}),
)
RECORD = RunRecord(
    config=CONFIG,
    params={"epochs": 1, "c_step_updates": "classifier"},
    origin="a test",
    snapshots=SNAPSHOTS,
    batch_norm_only={"A_f": 10.0, "A_r": 94.0},
    failure=None,
    seconds={"unlearn": 1.0, "total": 2.5},
    sizes={"forget": 64},
    forward_equivalents=320,
    made_with={"device": "CPU"},
    arrays={
        "labels": np.array([2, 0, 9, 9, 5], dtype=np.uint8),
        "p_f": np.linspace(0, 1, 25, dtype=np.float16).reshape(5, 5),
    },
    attacks={
        "k_shot_auc": {
            "1": {"mean": 0.97, "deviation": 0.01},
            "5": {"mean": None, "deviation": None, "reason": "there are only 3"},
        },
        "shots_were_seen": False,
    },
)


def stored(record: RunRecord) -> RunRecord:
    entry = record.to_entry()
    return RunRecord.from_entry(decode(encode(entry.meta, entry.arrays)))


def assert_equal(one: RunRecord, other: RunRecord) -> None:
    assert replace(one, arrays={}) == replace(other, arrays={})
    assert one.arrays.keys() == other.arrays.keys()
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], strict=True)


def test_a_record_survives_the_store() -> None:
    assert_equal(stored(RECORD), RECORD)


def test_a_control_without_batch_norm_is_not_believed() -> None:
    config = replace(CONFIG, scenario=replace(CONFIG.scenario, model="vit-small"))
    assert stored(replace(RECORD, config=config)).batch_norm_only is None


def test_a_record_from_before_there_were_attacks_has_none() -> None:
    entry = RECORD.to_entry()
    older = {name: each for name, each in entry.meta.items() if name != "attacks"}
    record = RunRecord.from_entry(decode(encode(older, entry.arrays)))
    assert record.attacks is None
    assert record.summary()["attacks"] is None
    assert_equal(replace(record, attacks=RECORD.attacks), RECORD)


def test_a_failed_record_survives_the_store() -> None:
    failed = replace(RECORD, failure="it answers 3", batch_norm_only=None, snapshots=SNAPSHOTS[:3])
    assert_equal(stored(failed), failed)


@pytest.mark.parametrize("method", ["pru", "boundary_shrink", "retrain", "original"])
def test_a_computed_record_survives_the_store(results: dict[str, RunResult], method: str) -> None:
    assert_equal(stored(results[method].record), results[method].record)


def test_summary_has_what_the_command_line_promises() -> None:
    summary = json.loads(json.dumps(RECORD.summary(), allow_nan=False))
    assert summary.keys() >= {
        "method",
        "variant",
        "preset",
        "seed",
        "A_f",
        "A_r",
        "bn_only",
        "seconds",
    }
    assert (summary["method"], summary["variant"]) == ("pru", "tuned")
    assert (summary["preset"], summary["seed"], summary["forget"]) == ("classroom", 7, [2, 9])
    assert summary["A_f"] == [1.0, 20.0, 30.0]
    assert summary["A_r"] == [90.0, 95.0, 96.0]
    assert summary["bn_only"] == {"A_f": 10.0, "A_r": 94.0}
    assert summary["failure"] is None
    assert summary["attacks"] == {
        "k_shot_auc": {"1": 0.97, "5": None},
        "k_shot_auc_deviation": {"1": 0.01, "5": None},
        "not_attacked": {"5": "there are only 3"},
        "shots_were_seen": False,
    }


def test_relearning_starts_right_after_unlearning() -> None:
    assert RECORD.unlearned == 2
    assert RECORD.stage("relearn") == [3, 4]
    assert RECORD.relearning("A_f") == [1.0, 20.0, 30.0]


def test_without_unlearning_the_original_is_what_relearns() -> None:
    kept = replace(RECORD, snapshots=(SNAPSHOTS[0], *SNAPSHOTS[3:]))
    assert kept.unlearned == 0
    assert kept.relearning("A_r") == [98.0, 95.0, 96.0]


def test_snapshots_are_labelled_for_a_slider() -> None:
    labels = [snapshot.label for snapshot in SNAPSHOTS]
    assert labels == [
        "Original",
        "Unlearning, epoch 1, E step",
        "Unlearning, epoch 1, C step",
        "Relearning, epoch 1",
        "Relearning, epoch 2",
    ]
    assert Snapshot("unlearn", 3, "all", 0, 0).label == "Unlearning, epoch 3"


def test_forgotten_samples_are_those_of_all_forgotten_classes() -> None:
    assert RECORD.forgotten.tolist() == [True, False, True, True, False]
