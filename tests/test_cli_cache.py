"""``cache list``, ``verify``, ``prune`` and ``clear`` say what they found and did."""

import json
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest

from pru_demo.cli import cache as cli_cache
from pru_demo.cli import main
from pru_demo.store import SCHEMA, Entry, Store, write_bundle
from tests.store.test_local_entries import file_of, files, plant, stray

HALF = {"a": np.zeros(125_000, dtype=np.float32)}
"""Arrays of half a megabyte."""


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "records"
    key = f"v{SCHEMA}:run:shipped"
    write_bundle(folder, {key: Entry({}, HALF)}, {key: "shipped.rec"})
    monkeypatch.setattr(cli_cache, "RECORDS", folder)
    return folder


@pytest.fixture
def store(tmp_path: Path, bundled: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Two runs, one of them used only a month ago, and a partial result of a month ago."""
    monkeypatch.setenv("PRU_STORE_DIR", str(tmp_path / "store"))
    monkeypatch.delenv("PRU_STORE_GB", raising=False)
    store = Store(tmp_path / "store")
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now - 30 * 24 * 3600)
        store.put(f"v{SCHEMA}:run:old", {}, HALF)
        store.put(f"v{SCHEMA}:partial:old", {}, HALF)
    store.put(f"v{SCHEMA}:run:new", {}, HALF)
    return store


@pytest.fixture
def damaged(store: Store) -> str:
    """The key of an entry that is."""
    path = file_of(store.directory, f"v{SCHEMA}:run:old")
    path.write_bytes(path.read_bytes()[:-1])
    return f"v{SCHEMA}:run:old"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    """Exit status, lines of standard output, standard error."""
    status = main(["cache", *arguments])
    captured = capsys.readouterr()
    return status, captured.out.splitlines(), captured.err


def test_list_shows_each_kind_and_the_bundled_records(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines, _ = run(capsys, "list")
    assert status == 0
    assert lines[2].split()[:4] == ["partial", "1", "0.5", "MB"]
    assert lines[3].split()[:4] == ["run", "2", "1.0", "MB"]
    assert lines[3].split()[4] < lines[3].split()[6] == time.strftime("%Y-%m-%d")
    assert lines[4].split() == ["bundled", "(read-only)", "1", "0.5", "MB"]
    assert lines[5].startswith(f"The store in {store.directory} takes 1.5 MB of 2000.0 MB")


def test_list_can_be_read_by_programs(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    _, lines, _ = run(capsys, "list", "--json")
    content = json.loads("\n".join(lines))
    partial, runs = content["kinds"]
    assert (partial["kind"], runs["kind"], runs["entries"]) == ("partial", "run", 2)
    assert runs["bytes"] > 1_000_000
    assert runs["oldest_use"] < runs["newest_use"]
    assert runs["newest_use"].endswith("Z")
    assert content["bundled"]["entries"] == 1
    assert content["limit_bytes"] == 2_000_000_000
    assert content["directory"] == str(store.directory)


def test_looking_is_not_using(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    before = store.cache.index.rows()
    run(capsys, "list")
    run(capsys, "verify")
    assert store.cache.index.rows() == before


def test_a_whole_store_is_verified(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = run(capsys, "verify")
    assert status == 0
    assert lines == ["Read 3 stored entries and 1 bundled record.", "Nothing is damaged."]


def test_verify_names_a_damaged_entry_and_its_repair(
    store: Store, damaged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines, problem = run(capsys, "verify")
    assert status == 1
    assert lines[0] == f"{damaged}: checksum differs"
    assert problem == (
        "pru_demo: 1 stored entry is damaged. "
        "Remove what is damaged with: python -m pru_demo cache verify --repair\n"
    )
    assert damaged in store.keys(f"v{SCHEMA}:run:")


def test_repair_removes_what_is_damaged_and_nothing_else(
    store: Store, damaged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines, _ = run(capsys, "verify", "--repair")
    assert status == 0
    assert lines[0] == f"{damaged}: checksum differs; removed, it will be computed again"
    assert store.keys() == [f"v{SCHEMA}:partial:old", f"v{SCHEMA}:run:new"]
    assert len(files(store.directory)) == 2
    assert run(capsys, "verify")[0] == 0


def test_a_row_that_is_not_ours_is_damage(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    plant(store.directory, f"v{SCHEMA}:run:old", key=b"\x80", raw=0)
    status, lines, _ = run(capsys, "verify")
    assert status == 1
    assert lines[0].startswith("An entry not of this program: ")
    assert run(capsys, "verify", "--repair")[0] == 0
    assert len(store.cache.index.rows()) == 2


def test_damage_in_the_bundle_stays_and_is_said(
    store: Store, bundled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundled / "shipped.rec").write_bytes(b"")
    status, lines, problem = run(capsys, "verify", "--repair")
    assert status == 1
    assert lines[0].startswith("Bundled record shipped.rec is damaged (size differs). Restore it")
    assert problem == "pru_demo: 1 bundled file is damaged.\n"


def test_a_file_without_entry_is_said_while_others_have_the_store_open(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    orphan = stray(store.directory)
    status, lines, _ = run(capsys, "verify", "--repair")
    assert status == 0
    assert lines[1].startswith("1 file (0.0 MB) without an entry: another program")
    assert orphan.exists()


def test_a_damaged_index_is_said(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(store.directory / "index" / "cache.db") as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_master SET rootpage = 3 WHERE name = 'Cache_expire_time'")
    status, _, problem = run(capsys, "verify")
    assert status == 1
    assert problem.startswith("pru_demo: The index of the result store is damaged (")
    assert f"Delete the folder {store.directory} to start afresh" in problem


def test_prune_removes_stale_partial_results_and_keeps_what_fits(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines, _ = run(capsys, "prune")
    assert status == 0
    assert lines[0] == "Removed 1 entry: 0.5 MB."
    assert store.keys() == [f"v{SCHEMA}:run:new", f"v{SCHEMA}:run:old"]


def test_prune_to_a_size_removes_what_was_not_used_and_says_what_stays(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    _, lines, _ = run(capsys, "prune", "--to-mb", "0.1")
    assert lines[0] == "Removed 2 entries: 1.0 MB."
    assert "used in the last 12 hours" in lines[2]
    assert store.keys() == [f"v{SCHEMA}:run:new"]


@pytest.mark.parametrize("size", ["-1", "nan", "inf"])
def test_prune_takes_a_size(store: Store, capsys: pytest.CaptureFixture[str], size: str) -> None:
    status, _, problem = run(capsys, "prune", f"--to-mb={size}")
    assert status == 1
    assert problem == "pru_demo: --to-mb takes a number of megabytes from 0.\n"
    assert len(store.keys()) == 3


def test_clear_asks_first(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, problem = run(capsys, "clear")
    assert status == 1
    assert problem.startswith("pru_demo: This would remove 3 entries (1.5 MB)")
    assert "python -m pru_demo cache clear --yes" in problem
    assert len(store.keys()) == 3


def test_clear_removes_all_but_the_bundled_records(
    store: Store, bundled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines, _ = run(capsys, "clear", "--yes")
    assert status == 0
    sentence = f"Removed 3 entries (1.5 MB) from {store.directory}. Bundled records stay."
    assert lines == [sentence]
    assert Store(store.directory, bundled).keys() == [f"v{SCHEMA}:run:shipped"]
    assert files(store.directory) == []


@pytest.mark.parametrize("action", ["list", "verify", "prune", "clear"])
def test_a_store_that_cannot_be_opened_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    action: str,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PRU_STORE_DIR", str(tmp_path / "file"))
    status, lines, problem = run(capsys, action)
    assert (status, lines) == (1, [])
    assert "cannot hold the result store" in problem
    assert problem.count("\n") == 1


@pytest.mark.parametrize("action", ["list", "prune"])
def test_a_size_limit_that_is_no_number_is_one_sentence(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    monkeypatch.setenv("PRU_STORE_GB", "much")
    status, _, problem = run(capsys, action)
    assert status == 1
    assert problem.startswith("pru_demo: PRU_STORE_GB is 'much'; it must be a positive number")
    assert len(store.keys()) == 3
