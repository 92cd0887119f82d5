"""The command line asks for what a link can ask for, within the same limits, in the same words."""

import argparse
import json
from typing import Any

import pytest

from pru_demo.cli import main, runs
from pru_demo.cli.options import add_run_options, configs_of
from pru_demo.config import FIELDS, Pick, RunConfig, Scenario, setting_of
from pru_demo.fields import Number
from pru_demo.links import view_from_query


def asked_runs(*arguments: str) -> list[RunConfig]:
    parser = argparse.ArgumentParser()
    add_run_options(parser)
    return configs_of(parser.parse_args(arguments))


def asked(*arguments: str) -> Scenario:
    return asked_runs(*arguments)[0].scenario


def asked_picks(*arguments: str) -> list[Pick]:
    return [run.pick for run in asked_runs(*arguments)]


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


def test_set_turns_a_parameter_of_every_variant_of_its_method() -> None:
    methods = ("--methods", "pru:paper,pru:tuned,delete")
    assert asked_picks(*methods, "--set", "pru.lambda_s=0", "--set", "pru.epochs=3") == [
        Pick("pru", "paper", (("epochs", 3), ("lambda_s", 0.0))),
        Pick("pru", "tuned", (("epochs", 3),)),  # whose lambda_s is 0 anyway
        Pick("delete", "rehearsed"),
    ]


def test_several_values_of_one_method_are_several_runs() -> None:
    methods = "pru:paper,pru:paper+lambda_s=0,pru:+epochs=2+l_p_form=cross-entropy"
    picks = asked_picks("--methods", methods)
    assert picks == [
        Pick("pru", "paper"),
        Pick("pru", "paper", (("lambda_s", 0.0),)),
        Pick("pru", "rehearsed", (("epochs", 2), ("l_p_form", "cross-entropy"))),
    ]
    assert ",".join(map(str, picks)) == methods.replace("pru:+", "pru:rehearsed+")


def test_set_wins_over_what_a_method_is_named_with() -> None:
    methods = ("--methods", "pru:paper+lambda_s=0")
    (run,) = asked_runs(*methods, "--set", "pru.lambda_s=0.3")
    assert vars(setting_of(run).params)["lambda_s"] == 0.3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--set", "pru.lambda_s=500"],
            "The command asks for pru.lambda_s “500”; it must be a number from 0 to 100.",
        ),
        (
            ["--set", "pru.epochs=nan"],
            "The command asks for pru.epochs “nan”; it must be a whole number from 1 to 50.",
        ),
        (
            ["--set", "boundary_shrink.attack=magic"],
            "The command asks for boundary_shrink.attack “magic”; it must be fgsm or pgd.",
        ),
        (
            ["--methods", "unroll", "--set", "unroll.momentum=0.9"],
            "The command asks for “unroll.momentum”, but there are learning_rate, sigma, epochs, "
            "batch_size.",
        ),
        (
            ["--methods", "original", "--set", "original.epochs=1"],
            "The command asks for “original.epochs”, but there is nothing to set.",
        ),
        (
            ["--methods", "pru:paper+lambda_s=-1"],
            "The command asks for pru.lambda_s “-1”; it must be a number from 0 to 100.",
        ),
        (
            ["--max-batch", "32", "--set", "pru.batch_size=64"],
            "The command asks for pru.batch_size “64”; it must be a whole number from 2 to 16.",
        ),
        (
            ["--methods", "pru", "--set", "delete.epochs=3"],
            "--set names delete, which is not among --methods pru.",
        ),
        (
            ["--set", "lambda_s=0"],
            "--set takes METHOD.PARAMETER=VALUE, as in pru.lambda_s=0.3, not “lambda_s=0”.",
        ),
        (
            ["--set", "pru.lambda_s"],
            "--set takes METHOD.PARAMETER=VALUE, as in pru.lambda_s=0.3, not “pru.lambda_s”.",
        ),
    ],
)
def test_what_cannot_be_set_is_one_sentence_at_once(
    arguments: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(runs, "open_results", no_work)
    monkeypatch.setattr(runs, "Jobs", no_work)
    assert main(["run", *arguments]) == 1
    assert capsys.readouterr().err == f"pru_demo: {sentence}\n"


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
