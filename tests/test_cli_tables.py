"""Tables of the command line say what was not computed, and why."""

import re
from dataclasses import replace
from typing import Any

from pru_demo.cli.tables import measure_table, result_table, sweep_table
from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment.spread import spread_by_method
from tests.figures.records import record_with

SECONDS = {"unlearn": 1.0, "relearn": 1.0}


def measures(**changes: Any) -> dict[str, Any]:
    """Of one run, as far as the table reads them."""
    return {
        "features": {
            "0": {"linear_probe": {"A_f": 71.5}, "cka_to_original": 0.5, "cka_to_retrained": None}
        },
        "ou_epsilon": {"epsilon": 0.03, "JS": 0.0625},
        "against_retrain": None,
        "relearning": {"comeback": {"maximum": 12.5}},
        "forget_set": {"A_f": 3.5, "membership": {"auc": 0.5123}},
        **changes,
    }


def test_the_attack_and_the_images_given_are_named() -> None:
    config = RunConfig(Scenario(), Pick("pru", "tuned"))
    table = measure_table([(config, measures())])
    assert "A_f on D_f " in table
    assert "A_f on D_f_new" not in table
    assert "0.512" in table and "71.5" in table and "0.0625" in table
    new = RunConfig(Scenario(given="D_f_new"), Pick("pru", "tuned"))
    assert "A_f on D_f_new" in measure_table([(new, measures())])


def test_without_an_attack_the_reason_is_in_its_place() -> None:
    config = RunConfig(Scenario(), Pick("pru", "tuned"))
    broken = measures(
        forget_set={"A_f": None, "membership": None, "no_membership": "the network broke"},
        features={"0": {"linear_probe": None, "cka_to_original": None, "cka_to_retrained": None}},
        against_retrain={"D_KL": None, "JS": None},
        relearning={"comeback": {"maximum": None}},
    )
    table = measure_table([(config, broken), (config, measures())])
    assert "not computed: the network broke" in table
    assert "0.512" in table


def test_runs_that_were_turned_by_hand_are_told_apart() -> None:
    plain = Pick("pru", "paper")
    versions = {"paper": plain, "paper+lambda_s=0": replace(plain, changes=(("lambda_s", 0.0),))}
    records = [
        replace(record_with([a_f]), config=RunConfig(Scenario(), pick), seconds=SECONDS)
        for pick in versions.values()
        for a_f in (1.0, 3.0)
    ]
    shown, swept = (
        [row.split()[1] for row in table.splitlines()[2:]]
        for table in (result_table(records), sweep_table(spread_by_method(records)))
    )
    assert shown == [version for version in versions for _ in range(2)]
    assert swept == list(versions)


def test_a_sweep_says_mean_and_deviation_of_what_was_computed() -> None:
    runs = [
        replace(
            record_with([a_f, 10 * a_f], scenario=Scenario(seed=seed)),
            attacks={
                "k_shot_auc": {
                    "1": {"mean": auc, "deviation": 0.01},
                    "5": {"mean": auc if seed == 7 else None, "deviation": None},
                    "50": {"mean": None, "deviation": None},
                }
            },
        )
        for seed, a_f, auc in ((7, 1.0, 0.999), (8, 3.0, 0.997))
    ]
    names, _, row = sweep_table(spread_by_method(runs)).splitlines()
    cells = dict(zip(split(names), split(row), strict=True))
    assert (cells["runs"], cells["failed"]) == ("2", "0")
    assert (cells["A_f"], cells["A_f relearned"]) == ("2.0 ± 1.4", "20.0 ± 14.1")
    assert cells["1-shot AUC"] == "0.9980 ± 0.0014"
    assert cells["5-shot AUC"] == "0.9990"
    assert cells["50-shot AUC"] == "not computed"


def split(line: str) -> list[str]:
    """The cells of a row: columns are at least two spaces apart."""
    return re.split(r" {2,}", line.strip())
