"""The table shows what a record says, and leaves out what this installation cannot know."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from pru_demo.config import Pick, RunConfig, Scenario, setting_of
from pru_demo.experiment.keys import run_key
from pru_demo.experiment.migration import run_as_it_was
from pru_demo.experiment.record import RunRecord
from pru_demo.parameters import as_json
from pru_demo.ui.runs.run_table import passing, run_table, whose
from pru_demo.ui.runs.stored_runs import StoredRun, read_run
from tests.figures.records import record_with

ME, SOMEBODY = "a" * 16, "b" * 16


def stored(record: RunRecord, *, shipped: bool = False, **made_with: str) -> StoredRun:
    record = replace(record, made_with={**record.made_with, **made_with})
    run = read_run(run_key(record.config), record.to_entry().meta, shipped=shipped)
    assert run is not None
    return run


def row_of(run: StoredRun, zone: timezone = UTC) -> dict[str, Any]:
    (row,) = run_table([run], ME, zone).to_dict("records")
    return row


def test_a_row_says_what_was_forgotten_and_what_came_back() -> None:
    record = replace(record_with([1.5, 40, 20]), seconds={"unlearn": 1.0, "total": 7.25})
    row = row_of(stored(record, made="2026-11-23"))
    assert row == {
        "method": "Boundary Shrink",
        "variant": "paper",
        "forgot": "9",
        "A_f": 1.5,
        "A_r": 98.0,
        "A_f relearned": 40.0,
        "A_f BatchNorm only": 50.0,
        "preset": "Classroom",
        "data set": "MNIST",
        "whose": "not recorded",
        "when": "2026-11-23",
        "seconds": 7.25,
        "network": "AllCNN, a quarter of the width",
        "seed": 7,
        "device": "CPU",
    }


def test_a_run_that_was_turned_by_hand_says_how() -> None:
    record = record_with([1.5, 40, 20])
    pick = replace(record.config.pick, changes=(("attack", "pgd"),))
    row = row_of(stored(replace(record, config=replace(record.config, pick=pick))))
    assert (row["method"], row["variant"]) == ("Boundary Shrink", "paper, attack = pgd")


@pytest.mark.parametrize("changes", [{"gone": 1}, {"epochs": 999}, {"epochs": "x"}, ["epochs"], 3])
def test_a_record_that_was_turned_in_a_way_that_is_not_known_here_is_no_run(changes: Any) -> None:
    record = record_with([1.5, 40, 20])
    meta = record.to_entry().meta
    meta = {**meta, "config": {**meta["config"], "changes": changes}}
    assert read_run(run_key(record.config), meta, shipped=False) is None


def test_a_broken_network_has_not_forgotten() -> None:
    broken = replace(record_with([0.0], control=None), failure="it answers 3 whatever it sees")
    row = row_of(stored(broken))
    assert (row["A_f"], row["A_f relearned"], row["A_f BatchNorm only"]) == (None, None, None)
    assert row["state"] == "broken: it answers 3 whatever it sees"


def test_what_a_method_was_given_is_shown_where_it_differs() -> None:
    few = Scenario(given="D_f_new", forget_samples=40)
    runs = [stored(record_with([0, 1])), stored(record_with([0, 1], scenario=few))]
    table = run_table(runs, ME, UTC)
    assert sorted(table["forgot with"]) == ["D_f", "D_f_new, at most 40"]


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        ("2026-11-24", "2026-11-24"),
        ("2026-11-24T23:05:09+00:00", "2026-11-25 01:05"),
        ("2026-11-24T23:05:09Z", "2026-11-25 01:05"),
        ("2026-11-24T23:05:09", "2026-11-24 23:05"),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_when_is_a_date_or_a_time_where_the_visitor_is(made: str, shown: str) -> None:
    run = stored(record_with([0, 1]), made=made)
    assert row_of(run, timezone(timedelta(hours=2)))["when"] == shown


def test_the_newest_run_stands_first() -> None:
    days = ["2026-11-23", "2026-11-24T08:00:00+00:00", "2026-11-24"]
    runs = [
        stored(record_with([0, 1], scenario=Scenario(seed=seed)), made=day)
        for seed, day in enumerate(days)
    ]
    assert list(run_table(runs, ME, UTC)["seed"]) == [1, 2, 0]


def test_rows_that_differ_in_their_seed_alone_say_what_comes_out_over_all_of_them() -> None:
    broken = replace(record_with([99, 99], scenario=Scenario(seed=9)), failure="it answers 3")
    records = [
        record_with([1, 40]),
        record_with([3, 20], scenario=Scenario(seed=8)),
        broken,
        record_with([50, 50], scenario=Scenario(seed=8, forget=(3,))),
    ]
    table = run_table([stored(record) for record in records], ME, UTC)
    rows = {(row["forgot"], row["seed"]): row for row in table.to_dict("records")}
    for seed in (7, 8, 9):
        row = rows["9", seed]
        assert row["A_f, all seeds"] == "2.0 (1.0–3.0 of 2 seeds)"
        assert row["A_r, all seeds"] == "98.0 (98.0–98.0 of 2 seeds)"
        assert row["A_f relearned, all seeds"] == "30.0 (20.0–40.0 of 2 seeds)"
    assert rows["3", 8]["A_f, all seeds"] == ""


def test_whose_a_run_is() -> None:
    record = record_with([0, 1])
    assert whose(stored(record, owner=ME), ME) == "you"
    assert whose(stored(record, owner=SOMEBODY), ME) == "another visitor"
    assert whose(stored(record), ME) == "not recorded"
    assert whose(stored(record, shipped=True), ME) == "shipped"


def test_no_name_of_an_owner_is_shown() -> None:
    row = row_of(stored(record_with([0, 1]), owner=SOMEBODY))
    assert SOMEBODY not in str(row)


def test_filters_narrow_the_rows() -> None:
    nines = stored(record_with([0, 1]), owner=ME)
    several = stored(record_with([0, 1], "pru", Scenario(forget=(3, 9), preset="full")))
    runs = [nines, several]
    assert passing(runs, {"Method": None}) == runs
    assert passing(runs, {"Forgot": "9", "Data set": "mnist"}) == runs
    assert passing(runs, {"Data set": "cifar10"}) == []
    assert passing(runs, {"Forgot": "3"}) == [several]
    assert passing(runs, {"Amount of work": "classroom"}) == [nines]
    assert passing(runs, {"Method": "pru", "Amount of work": "classroom"}) == []
    assert passing(runs, {}, owner=ME) == [nines]


Meta = dict[str, Any]


def of_config(**values: Any) -> Callable[[Meta], Meta]:
    return lambda meta: {**meta, "config": {**meta["config"], **values}}


FOREIGN: dict[str, Callable[[Meta], Meta]] = {
    "nothing": lambda meta: {},
    "no snapshots": lambda meta: {**meta, "snapshots": []},
    "words for numbers": lambda meta: {**meta, "snapshots": [{"stage": "x"}]},
    "a field of a later version": lambda meta: {**meta, "colour": "red"},
    "another kind of time": lambda meta: {**meta, "seconds": {"total": "long"}},
    "a list for a mapping": lambda meta: {**meta, "made_with": []},
    "an unknown data set": of_config(dataset="imagenet"),
    "an unknown network": of_config(model="<b>"),
    "an unknown method": of_config(method="magic"),
    "an unknown variant": of_config(variant="best"),
    "a class too many": of_config(forget=[42]),
    "a seed in words": of_config(seed="seven"),
    "a config of nobody": lambda meta: {**meta, "config": "foreign"},
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN)
def test_what_is_not_understood_is_no_run(change: Callable[[Meta], Meta]) -> None:
    meta = change(dict(record_with([0, 1]).to_entry().meta))
    try:
        key = run_key(RunConfig.from_content(meta["config"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        key = "v1:run:" + "0" * 64
    assert read_run(key, meta, shipped=False) is None


def test_a_record_under_the_key_of_another_is_no_run() -> None:
    record = record_with([0, 1])
    other = RunConfig(replace(record.config.scenario, seed=8), Pick("pru", "paper"))
    assert read_run(run_key(other), record.to_entry().meta, shipped=False) is None


def test_a_row_holds_nothing_that_could_change_under_the_cache() -> None:
    assert hash(stored(record_with([0, 1])))
    assert asdict(stored(record_with([0, 1])))["a_f"] == 0


def test_a_run_whose_variant_has_other_values_today_is_not_shown_under_its_name() -> None:
    record = record_with([0, 1])
    before = replace(record, params={**as_json(setting_of(record.config).params), "epochs": 9})
    key = run_key(run_as_it_was(before.to_entry().meta))
    assert key != run_key(record.config)
    assert read_run(key, before.to_entry().meta, shipped=False) is None
