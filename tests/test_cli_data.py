"""``data list`` and ``data fetch`` say where data sets are and bring those that are not."""

import argparse
from pathlib import Path

import pytest

from pru_demo.cli.lists import add_data_command
from pru_demo.data import DATASETS, fetch
from pru_demo.data.spec import DamagedData


def run(*arguments: str) -> None:
    parser = argparse.ArgumentParser()
    add_data_command(parser.add_subparsers(required=True))
    options = parser.parse_args(["data", *arguments])
    options.command(options)


def test_every_data_set_is_listed_with_its_place_or_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRU_DATA_DIR", str(tmp_path))
    run("list")
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line for line in lines if line}
    for name in DATASETS:
        state = "present" if name == "mnist" else "missing"
        assert state in rows[name]
    assert "python -m pru_demo data fetch cifar100" in rows["cifar100"]
    assert lines[-1] == f"Data directory: {tmp_path}"


def test_a_data_directory_that_does_not_exist_is_not_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRU_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(DamagedData, match="PRU_DATA_DIR names "):
        run("list")


def test_all_named_data_sets_are_fetched_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetch, "fetch", lambda name, say: (say(f"Getting {name}"), tmp_path)[1])
    run("fetch", "kmnist", "cifar10")
    assert capsys.readouterr().out.splitlines() == [
        "Getting kmnist",
        str(tmp_path),
        "Getting cifar10",
        str(tmp_path),
    ]


@pytest.mark.parametrize("arguments", [["fetch"], ["fetch", "imagenet"], []])
def test_a_wrong_command_says_what_there_is(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(*arguments)
    assert "usage:" in capsys.readouterr().err
