"""The sentence above the table counts what is in it."""

from dataclasses import replace

from pru_demo.config import Scenario
from pru_demo.experiment.keys import run_key
from pru_demo.ui.runs.run_finding import best_methods, runs_finding
from pru_demo.ui.runs.stored_runs import StoredRun, read_run
from tests.figures.records import record_with

ME = "a" * 16
NINE, THREE = Scenario(), Scenario(forget=(3,))


def run(method: str, *a_f: float, scenario: Scenario = NINE, a_r: float = 98) -> StoredRun:
    record = record_with(a_f, method, scenario)
    found = read_run(run_key(record.config), record.to_entry().meta, shipped=False)
    assert found is not None
    return replace(found, a_r=a_r)


def test_the_lowest_of_the_highest_a_f_wins() -> None:
    # PRU ends lower, but came back further on the way.
    runs = [run("pru", 0, 30, 1), run("boundary_shrink", 5, 20, 20)]
    assert best_methods(runs) == {NINE: "boundary_shrink"}


def test_of_two_that_stay_away_the_one_that_kept_more_wins() -> None:
    runs = [run("pru", 0, 0, a_r=80), run("delete", 0, 0, a_r=87)]
    assert best_methods(runs) == {NINE: "delete"}


def test_yardsticks_and_broken_networks_do_not_compete() -> None:
    broken = replace(run("delete", 0, 0), failure="it answers 3 whatever it sees")
    runs = [run("pru", 0, 5), run("retrain", 0, 0), broken, run("original", 99, 99)]
    assert best_methods(runs) == {}
    assert runs_finding(runs, ME) == "**4** runs of **4** methods on MNIST."


def test_controls_do_not_compete_and_say_what_the_ranking_is_worth() -> None:
    runs = [run("pru", 0, 5), run("delete", 0, 9), run("head_only", 0, 0, a_r=99)]
    assert best_methods(runs) == {NINE: "pru"}
    assert "mouth" not in runs_finding(runs, ME)
    masks = [run("mask", 0, 0, a_r=99), run("mask", 0, 1.5, scenario=THREE)]
    assert best_methods([*runs, *masks]) == {NINE: "pru"}
    said = runs_finding([*runs, *masks], ME)
    assert "**PRU** keeps A_f lowest" in said
    # The worst of its runs.
    assert said.endswith(
        "A network whose mouth is merely covered (Mask) scores 1.5 % here and sees the class as it "
        "always did: A_f through relearning cannot tell hiding from forgetting."
    )
    uncovered = run("mask", 0, 60, scenario=THREE)
    assert "mouth" not in runs_finding([*runs, uncovered], ME)


def test_the_sentence_counts_runs_methods_scenarios_and_ones_own() -> None:
    runs = [
        run("pru", 0, 5),
        run("boundary_shrink", 0, 99),
        replace(run("pru", 0, 5, scenario=THREE), owner=ME),
        run("boundary_shrink", 0, 99, scenario=THREE),
        run("pru", 0, 0, scenario=Scenario(dataset="cifar10", model="allcnn")),
    ]
    assert runs_finding(runs, ME) == (
        "**5** runs of **2** methods on MNIST and CIFAR-10, 1 of them yours. With every method in "
        "its best variant, **PRU** keeps A_f lowest through relearning in all 2 scenarios where "
        "methods were compared."
    )
    assert "in the one scenario where" in runs_finding(runs[:2], ME)


def test_equal_winners_are_all_named() -> None:
    runs = [
        run("pru", 0, 5),
        run("delete", 0, 9),
        run("pru", 0, 9, scenario=THREE),
        run("delete", 0, 5, scenario=THREE),
    ]
    assert "**PRU and DELETE** each keep A_f lowest through relearning in 1 of the 2" in (
        runs_finding(runs, ME)
    )
