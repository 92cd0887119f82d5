"""The command line asks for what a link can ask for, within the same limits, in the same words."""

import argparse
import json
from typing import Any

import pytest

from pru_demo.cli import main, runs
from pru_demo.cli.options import add_run_options, configs_of
from pru_demo.config import FIELDS, Scenario, view_from_query
from pru_demo.fields import Number


def asked(*arguments: str) -> Scenario:
    parser = argparse.ArgumentParser()
    add_run_options(parser)
    scenario: Scenario = configs_of(parser.parse_args(arguments))[0].scenario
    return scenario


def no_work(*_: Any, **__: Any) -> Any:
    raise AssertionError("a bad command starts nothing")


def test_without_options_it_is_the_default() -> None:
    assert asked() == Scenario()


def test_every_field_with_words_has_an_option() -> None:
    values = {
        "dataset": "cifar10",
        "model": "allcnn",
        "forget": "1,4",
        "preset": "full",
        "seed": "8",
        "given": "D_f_new",
        "forget_samples": "64",
        "relearn_epochs": "20",
        "max_batch": "32",
    }
    assert values.keys() == {name for name, each in FIELDS.items() if each.label}
    options = [f"--{name.replace('_', '-')}={text}" for name, text in values.items()]
    assert asked(*options) == view_from_query(values)[0].scenario


BAD = {
    "seed": ("12345", "-1", "x", "1.5"),
    "forget": ("9,", "11a", "-1", "10", "0,1,2,3,4,5,6,7,8", ""),
    "forget_samples": ("1", "100001"),
    "relearn_epochs": ("0", "51"),
    "max_batch": ("7", "4097"),
}


@pytest.mark.parametrize(("name", "text"), [(n, text) for n, each in BAD.items() for text in each])
def test_a_bad_value_is_the_sentence_of_the_link_at_once(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runs, "open_results", no_work)
    monkeypatch.setattr(runs, "Jobs", no_work)
    option = f"--{name.replace('_', '-')}"
    (notice,) = view_from_query({name: text})[1]
    expected = notice.replace("The link", "The command").replace(f"for {name} ", f"for {option} ")
    for command in ("run", "measure", "sweep"):
        assert main([command, option, text]) == 1
        assert capsys.readouterr().err == f"pru_demo: {expected}\n"


@pytest.mark.parametrize("text", ["7,12345", "7,", "-1", "x"])
def test_each_of_the_seeds_of_a_sweep_is_held_to_the_limits(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runs, "open_results", no_work)
    assert main(["sweep", "--seeds", text]) == 1
    said = capsys.readouterr().err
    assert said.startswith("pru_demo: The command asks for --seeds “")
    assert said.endswith("”; it must be between 0 and 9999.\n")
    assert len(said.splitlines()) == 1


def test_train_and_search_are_held_to_the_limits(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("train", "search"):
        assert main([command, "--seed", "12345"]) == 1
        assert "--seed “12345”; it must be between 0 and 9999." in capsys.readouterr().err


def test_a_name_that_does_not_exist_is_refused_with_those_that_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("dataset", "model", "preset", "given"):
        with pytest.raises(SystemExit):
            main(["run", f"--{name}", "nonsense"])
        assert Scenario().content().get(name, "D_f") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("methods", "sentence"),
    [
        ("magic", "There is no method 'magic'; there are pru, "),
        ("pru:magic", "pru has the variants rehearsed, tuned, paper, released, "),
    ],
)
def test_a_method_or_variant_that_does_not_exist_is_named(
    methods: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--methods", methods]) == 1
    assert capsys.readouterr().err.startswith(f"pru_demo: {sentence}")


def test_help_says_the_limits(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for each in FIELDS.values():
        if isinstance(each.kind, Number):
            assert f"{each.kind.low} to {each.kind.high}." in said


def test_list_json_has_every_registry(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert set(listed) == {"methods", "datasets", "models", "presets"}
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    assert all(row["name"] in said for rows in listed.values() for row in rows)
