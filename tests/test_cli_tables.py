"""Tables of the command line say what was not computed, and why."""

from dataclasses import replace
from typing import Any

from pru_demo.cli.tables import measure_table, result_table, sweep_table
from pru_demo.config import Pick, RunConfig, Scenario
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
        [row.split()[1] for row in table(records).splitlines()[2:]]
        for table in (result_table, sweep_table)
    )
    assert shown == [version for version in versions for _ in range(2)]
    assert swept == list(versions)
