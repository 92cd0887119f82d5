"""What varies over seeds is told with its range, and a broken network varies nothing."""

from dataclasses import replace

import pytest

from pru_demo.config import Pick, Scenario
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.spread import Spread, spread_by_method
from tests.figures.records import record_with

SEEDS = [Scenario(seed=seed) for seed in (7, 8, 9)]


def with_auc(record: RunRecord, five: float | None) -> RunRecord:
    nothing = {"mean": None, "deviation": None, "reason": "a test"}
    found = {"mean": five, "deviation": 0.01}
    return replace(record, attacks={"k_shot_auc": {"1": nothing, "5": found, "50": nothing}})


def test_a_spread_is_mean_sample_deviation_and_range() -> None:
    assert Spread.of([1.0, 2.0, 6.0]) == Spread(3.0, pytest.approx(7**0.5), 1.0, 6.0, 3)
    assert Spread.of([4.0]) == Spread(4.0, None, 4.0, 4.0, 1)
    assert Spread.of_known([None, 4.0, None]) == Spread.of([4.0])
    assert Spread.of_known([None]) is None
    with pytest.raises(ValueError):
        Spread.of([])


def test_broken_networks_are_counted_and_left_out() -> None:
    runs = [record_with([0, 50], "pru", SEEDS[0]), record_with([4, 50], "pru", SEEDS[1])]
    broken = replace(record_with([99, 99], "pru", SEEDS[2]), failure="it answers 3")
    (pru,) = spread_by_method([*runs, broken])
    assert (pru.runs, pru.failed) == (3, 1)
    assert pru.A_f == Spread.of([0, 4])
    assert pru.A_f_relearned == Spread.of([50, 50])
    (only,) = spread_by_method([broken])
    assert (only.runs, only.failed, only.A_f, only.k_shot_auc["5"]) == (1, 1, None, None)


def test_runs_without_attack_or_control_do_not_count_as_zero() -> None:
    runs = [
        with_auc(record_with([0, 1], scenario=SEEDS[0]), 0.9),
        with_auc(record_with([0, 1], scenario=SEEDS[1], control=None), None),
        record_with([0, 1], scenario=SEEDS[2]),
    ]
    (found,) = spread_by_method(runs)
    assert found.k_shot_auc == {"1": None, "5": Spread.of([0.9]), "50": None}
    assert found.bn_only_A_f == Spread.of([50.0, 50.0])


def test_the_summary_names_the_run_as_its_records_do() -> None:
    record = record_with([0, 1], "pru")
    turned = replace(record.config, pick=Pick("pru", "paper", (("lambda_s", 0.0),)))
    plain, other = spread_by_method([record, replace(record, config=turned)])
    for found, changes in ((plain, {}), (other, {"lambda_s": 0.0})):
        said = found.summary()
        named = {name: said[name] for name in ("method", "variant", "changes")}
        assert named == {"method": "pru", "variant": "paper", "changes": changes}
        assert said["A_f"] == {
            "mean": 0, "deviation": None, "lowest": 0, "highest": 0, "runs": 1
        }  # fmt: skip
