"""Whoever can write into the cache folder gets a miss for it: no code runs, no other file moves."""

import contextlib
import errno
import os
import pickle  # noqa: TID251  # to plant the attacks
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import diskcache
import numpy as np
import pytest

from pru_demo.store.entry import Entry
from pru_demo.store.index import SafeDisk, open_cache

SMALL = Entry({"size": "small"}, {"a": np.arange(3, dtype=np.uint8)})
LARGE = Entry({"size": "large"}, {"a": np.arange(50_000, dtype=np.float32)})


class Payload:
    """Unpickling this leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.mkdir, (str(self.trace),)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def cache(directory: Path) -> Iterator[object]:
    cache = open_cache(directory)
    cache.set("small", SMALL)
    cache.set("large", LARGE)
    yield cache
    cache.close()


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A file outside of the cache that must come through the attack untouched."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    yield victim
    assert victim.read_text() == "precious"


def plant(directory: Path, key: str, /, **columns: object) -> None:
    """Change columns of a row behind the back of the cache."""
    assignments = ", ".join(f"{name} = ?" for name in columns)
    with sqlite3.connect(directory / "cache.db") as database:
        query = f"UPDATE Cache SET {assignments} WHERE key = ?"
        assert database.execute(query, (*columns.values(), key)).rowcount == 1


def fill(directory: Path, statement: str) -> None:
    """From now on the database takes no INSERT, or no UPDATE, of any connection."""
    with sqlite3.connect(directory / "cache.db") as database:
        database.execute(
            f"CREATE TRIGGER Full{statement} BEFORE {statement} ON Cache "
            "BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )


def file_of(directory: Path) -> Path:
    (path,) = directory.glob("??/??/*.val")
    return path


def test_entries_of_any_size_come_back(cache, directory: Path) -> None:
    assert len(list(directory.glob("??/??/*.val"))) == 1, "only the large one is a file"
    for key, expected in (("small", SMALL), ("large", LARGE)):
        entry = cache.get(key)
        assert entry.meta == expected.meta
        np.testing.assert_array_equal(entry.arrays["a"], expected.arrays["a"], strict=True)


def test_the_planted_code_runs_under_the_disk_that_is_usually_advised(
    cache, directory: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "code-ran"
    plant(directory, "small", mode=4, raw=0, key=pickle.dumps(Payload(trace)))
    usual = diskcache.Cache(str(directory), disk=diskcache.JSONDisk)  # noqa: TID251  # the proof
    with contextlib.suppress(TypeError):  # it stumbles over the result, after running the code
        list(usual)
    assert trace.exists()


def test_a_planted_pickle_value_is_a_miss_and_does_not_run(cache, directory, tmp_path) -> None:
    trace = tmp_path / "code-ran"
    plant(directory, "small", mode=4, value=pickle.dumps(Payload(trace)))
    assert cache.get("small") is None
    assert not trace.exists()


def test_a_planted_pickle_file_is_a_miss_and_does_not_run(cache, directory, tmp_path) -> None:
    trace = tmp_path / "code-ran"
    file_of(directory).write_bytes(pickle.dumps(Payload(trace)))
    plant(directory, "large", mode=4)
    assert cache.get("large") is None
    assert not trace.exists()


def test_a_planted_pickle_key_is_skipped_and_does_not_run(cache, directory, tmp_path) -> None:
    trace = tmp_path / "code-ran"
    plant(directory, "small", raw=0, key=pickle.dumps(Payload(trace)))
    assert sorted(cache) == ["", "large"]
    assert not trace.exists()


@pytest.mark.parametrize("name", ["../victim", "{victim}", "ab/cd/../../../victim"])
def test_a_file_name_that_leads_out_is_neither_read_nor_deleted(
    cache, directory: Path, victim: Path, name: str
) -> None:
    plant(directory, "large", filename=name.format(victim=victim))
    assert cache.get("large") is None
    cache.set("large", LARGE)  # diskcache removes the file of the row that it replaces
    assert cache.get("large").meta == LARGE.meta
    plant(directory, "large", filename=name.format(victim=victim))
    cache.delete("large")


def test_a_link_in_place_of_a_file_is_not_followed(cache, directory: Path, victim: Path) -> None:
    path = file_of(directory)
    victim_of_same_content = victim.with_name("same-content")
    path.rename(victim_of_same_content)
    path.symlink_to(victim_of_same_content)
    assert cache.get("large") is None
    cache.set("large", LARGE)
    assert victim_of_same_content.exists()


def test_a_link_in_place_of_a_folder_is_not_followed(cache, directory: Path, tmp_path) -> None:
    path = file_of(directory)
    outside = tmp_path / "outside"
    path.parent.rename(outside)
    path.parent.symlink_to(outside)
    assert cache.get("large") is None
    cache.delete("large")
    assert (outside / path.name).exists()


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete"])
def test_a_damaged_file_is_a_miss_and_the_next_write_heals_it(cache, directory, damage) -> None:
    path = file_of(directory)
    data = bytearray(path.read_bytes())
    if damage == "delete":
        path.unlink()
    elif damage == "truncate":
        path.write_bytes(data[:-1])
    else:
        data[-7] ^= 4
        path.write_bytes(data)

    assert cache.get("large") is None
    cache.set("large", LARGE)
    assert cache.get("large").meta == LARGE.meta


@pytest.mark.parametrize("key", [1, None, b"bytes", ("a",), "", "x" * 513])
def test_keys_are_short_strings(cache, key: object) -> None:
    with pytest.raises(TypeError, match="cache key"):
        cache.set(key, SMALL)


def test_file_handles_are_refused(cache) -> None:
    with pytest.raises(TypeError, match="file handles"):
        cache.set("handle", SMALL, read=True)
    with pytest.raises(TypeError, match="file handles"):
        cache.get("small", read=True)


def test_nobody_else_can_read_the_cache(cache, directory: Path) -> None:
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for path in directory.rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_can_write_is_refused(directory: Path, mode: int) -> None:
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(PermissionError, match="only this user"):
        open_cache(directory)


def test_a_link_to_a_folder_is_refused(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    directory.symlink_to(tmp_path / "real")
    with pytest.raises(PermissionError, match="only this user"):
        open_cache(directory)


def test_diskcache_itself_evicts_nothing(cache) -> None:
    cache.reset("size_limit", 1)
    cache.set("newest", LARGE)
    assert sorted(cache) == ["large", "newest", "small"]


@pytest.mark.parametrize("failing", ["fsync", "fdopen"])
def test_a_file_that_could_not_be_written_whole_is_removed(
    cache, directory: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, failing, full)
    before = sorted(directory.rglob("*.val"))
    with pytest.raises(OSError, match="No space left"):
        cache.set("more", LARGE)
    monkeypatch.undo()
    assert sorted(directory.rglob("*.val")) == before
    assert cache.get("large").meta == LARGE.meta


@pytest.mark.parametrize("statement", ["INSERT", "UPDATE"])
def test_a_file_whose_row_could_not_be_written_is_removed(
    cache, directory: Path, statement: str
) -> None:
    before = sorted(directory.rglob("*.val"))
    fill(directory, statement)
    with pytest.raises(OSError, match="disk is full"):
        cache.set("more" if statement == "INSERT" else "large", LARGE)
    assert sorted(directory.rglob("*.val")) == before
    assert cache.look("large").meta == LARGE.meta


def test_a_commit_that_fails_leaves_a_connection_that_works(
    cache, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(sqlite3.Connection):
        def execute(self, sql: str, *rest: object) -> sqlite3.Cursor:
            if sql == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(sql, *rest)

    connect = sqlite3.connect
    cache.close()
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Full))
    with pytest.raises(OSError, match="disk is full"):
        cache.set("more", LARGE)
    monkeypatch.undo()
    cache.set("small", LARGE)
    assert sorted(cache) == ["large", "small"]
    assert len(list(directory.rglob("*.val"))) == 2


def test_waiting_for_another_writer_ends(cache, directory: Path) -> None:
    cache.close()
    cache._timeout = 0.05
    with contextlib.closing(sqlite3.connect(directory / "cache.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match="locked"):
            cache.set("more", LARGE, retry=True)
        assert cache.look("large").meta == LARGE.meta
    cache.set("more", LARGE)


def test_every_method_that_could_unpickle_is_replaced() -> None:
    assert {"put", "get", "store", "fetch", "remove"} <= vars(SafeDisk).keys()
