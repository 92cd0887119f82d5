"""Whoever can write into the cache folder gets a miss for it: no code runs, no other file moves."""

import contextlib
import errno
import hashlib
import os
import pickle  # noqa: TID251  # to plant the attacks
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import diskcache
import numpy as np
import pytest

from pru_demo.store import index
from pru_demo.store.entry import Entry, encode
from pru_demo.store.index import DigestDisk, Stored
from pru_demo.store.local_entries import KEPT, LocalEntries

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
def cache(directory: Path) -> Iterator[LocalEntries]:
    cache = LocalEntries(directory)
    put(cache, "small", SMALL)
    put(cache, "large", LARGE)
    yield cache
    cache.index.close()


def put(cache: LocalEntries, key: str, entry: Entry) -> None:
    cache.put(key, encode(entry.meta, entry.arrays, key))


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A file outside of the cache that must come through the attack untouched."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    yield victim
    assert victim.read_text() == "precious"


def plant(directory: Path, key: str, /, **columns: object) -> None:
    """Change columns of a row behind the back of the cache."""
    change_row(directory / "index", key, **columns)


def change_row(index: Path, key: str, /, **columns: object) -> None:
    """Change columns of a row of the diskcache in the folder ``index``."""
    assignments = ", ".join(f"{name} = ?" for name in columns)
    with sqlite3.connect(index / "cache.db") as database:
        query = f"UPDATE Cache SET {assignments} WHERE key = ?"
        assert database.execute(query, (*columns.values(), key)).rowcount == 1


def spoil(path: Path, how: str) -> None:
    """``delete`` the file of an entry, ``truncate`` it, or ``flip`` a bit in its arrays."""
    data = bytearray(path.read_bytes())
    if how == "delete":
        path.unlink()
    elif how == "truncate":
        path.write_bytes(data[:-1])
    else:
        data[-7] ^= 4
        path.write_bytes(data)


def fill(directory: Path, statement: str) -> None:
    """From now on the database takes no INSERT, or no UPDATE, of any connection."""
    with sqlite3.connect(directory / "index" / "cache.db") as database:
        database.execute(
            f"CREATE TRIGGER Full{statement} BEFORE {statement} ON Cache "
            "BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )


def files(directory: Path) -> list[Path]:
    """All that lies where entries do, also under temporary names."""
    return sorted(path for path in (directory / "entries").rglob("*") if not path.is_dir())


def file_of(directory: Path, key: str = "large") -> Path:
    """The file that the row of a key names."""
    with sqlite3.connect(directory / "index" / "cache.db") as database:
        query = "SELECT value FROM Cache WHERE key = ?"
        ((digest,),) = database.execute(query, (key,)).fetchall()
    return directory / "entries" / digest[:2] / f"{digest}.safetensors"


def stray(directory: Path) -> Path:
    """A new file without a row, such as a killed process leaves."""
    path = directory / "entries" / "ab" / ("ab" + "0" * 62 + ".safetensors")
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_entries_of_any_size_are_files_under_their_digest(cache, directory: Path) -> None:
    assert files(directory) == sorted([file_of(directory, "small"), file_of(directory, "large")])
    for key, expected in (("small", SMALL), ("large", LARGE)):
        data = file_of(directory, key).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file_of(directory, key).stem
        entry = cache.get(key)
        assert entry.meta == cache.meta(key) == expected.meta
        np.testing.assert_array_equal(entry.arrays["a"], expected.arrays["a"], strict=True)


def test_the_header_is_read_without_the_arrays(cache, directory: Path) -> None:
    path = file_of(directory)
    path.write_bytes(path.read_bytes()[:1000])
    assert cache.meta("large") == LARGE.meta
    assert cache.get("large") is None


def test_the_planted_code_runs_under_the_disk_that_is_usually_advised(
    cache, directory: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "code-ran"
    plant(directory, "small", mode=4, raw=0, key=pickle.dumps(Payload(trace)))
    folder = str(directory / "index")
    usual = diskcache.Cache(folder, disk=diskcache.JSONDisk)  # noqa: TID251  # the proof
    with contextlib.suppress(TypeError):  # it stumbles over the result, after running the code
        list(usual)
    assert trace.exists()


def test_a_planted_pickle_value_is_a_miss_and_does_not_run(cache, directory, tmp_path) -> None:
    trace = tmp_path / "code-ran"
    for mode in range(6):
        plant(directory, "small", mode=mode, value=pickle.dumps(Payload(trace)))
        assert cache.get("small") is None
        assert cache.meta("small") is None
    plant(directory, "large", mode=4)
    assert cache.get("large") is None
    assert not trace.exists()


def test_a_planted_pickle_file_is_a_miss_and_does_not_run(cache, directory, tmp_path) -> None:
    trace = tmp_path / "code-ran"
    file_of(directory).write_bytes(pickle.dumps(Payload(trace)))
    assert cache.get("large") is None
    plant(directory, "large", mode=4, value=None, filename=str(file_of(directory)))
    assert cache.get("large") is None
    assert not trace.exists()


def test_a_planted_pickle_key_is_skipped_and_does_not_run(cache, directory, tmp_path) -> None:
    trace = tmp_path / "code-ran"
    plant(directory, "small", raw=0, key=pickle.dumps(Payload(trace)))
    assert cache.index.keys() == ["large"]
    foreign, large = sorted(cache.index.rows())
    assert (foreign.key, large.key) == ("", "large")
    assert cache.remove([foreign]) == [foreign]
    assert cache.index.rows() == [large]
    assert not trace.exists()


@pytest.mark.parametrize("name", ["../victim", "{victim}", "ab/cd/../../../victim"])
@pytest.mark.parametrize("column", ["filename", "value"])
def test_a_file_name_that_leads_out_is_neither_read_nor_deleted(
    cache, directory: Path, victim: Path, name: str, column: str
) -> None:
    planted = {column: name.format(victim=victim)}
    plant(directory, "large", **planted)
    assert cache.get("large") is None
    assert LocalEntries(directory).get("small").meta == SMALL.meta
    put(cache, "large", LARGE)  # diskcache removes the file of the row that it replaces
    assert cache.get("large").meta == LARGE.meta
    plant(directory, "large", **planted)
    cache.delete("large")


def test_a_row_that_names_the_file_of_another_key_is_a_miss_and_costs_it_nothing(
    cache, directory: Path
) -> None:
    plant(directory, "small", value=file_of(directory).stem)
    assert cache.get("small") is None
    assert cache.meta("small") is None
    assert cache.get("large").meta == LARGE.meta


def test_a_link_in_place_of_a_file_is_not_followed(cache, directory: Path, victim: Path) -> None:
    path = file_of(directory)
    victim_of_same_content = victim.with_name("same-content")
    path.rename(victim_of_same_content)
    path.symlink_to(victim_of_same_content)
    with pytest.raises(OSError, match="symbolic links"):
        cache.get("large")
    put(cache, "large", LARGE)
    assert cache.get("large").meta == LARGE.meta
    assert victim_of_same_content.exists()


@pytest.mark.parametrize("above", [False, True])
def test_a_link_in_place_of_a_folder_is_not_followed(
    cache, directory: Path, tmp_path: Path, above: bool
) -> None:
    path = file_of(directory)
    folder = path.parent.parent if above else path.parent
    outside = tmp_path / "outside"
    folder.rename(outside)
    folder.symlink_to(outside)
    before = files(outside.parent)
    assert cache.get("large") is None
    with pytest.raises(OSError, match="is a link"):
        put(cache, "large", LARGE)
    if above:
        with pytest.raises(PermissionError, match="only this user"):
            LocalEntries(directory)
    else:
        assert LocalEntries(directory).get("small").meta == SMALL.meta
    cache.delete("large")
    assert files(outside.parent) == before


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete"])
def test_a_damaged_file_is_a_miss_and_the_next_write_heals_it(cache, directory, damage) -> None:
    spoil(file_of(directory), damage)

    assert cache.get("large") is None
    put(cache, "large", LARGE)
    assert cache.get("large").meta == LARGE.meta


def test_a_reader_that_comes_too_late_for_a_replaced_file_reads_the_new_one(
    cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    use, writes = index.Index.use, [Entry({"made": "meanwhile"}, {})]

    def replaced_just_then(self: index.Index, key: str) -> str | None:
        digest = use(self, key)
        if writes:
            put(cache, key, writes.pop())
        return digest

    monkeypatch.setattr(index.Index, "use", replaced_just_then)
    assert cache.get("large").meta == {"made": "meanwhile"}


def test_the_same_entry_written_again_keeps_its_file(cache, directory: Path) -> None:
    put(cache, "large", LARGE)
    assert cache.get("large").meta == LARGE.meta
    put(cache, "large", SMALL)
    assert cache.get("large").meta == SMALL.meta
    assert len(files(directory)) == 2, "the replaced file is gone"


@pytest.mark.parametrize("key", [1, None, b"bytes", ("a",), "", "x" * 513])
def test_keys_are_short_strings(cache, directory: Path, key: object) -> None:
    before = files(directory)
    with pytest.raises(TypeError, match="store key"):
        cache.put(key, b"")
    assert files(directory) == before


def test_the_index_takes_and_gives_digests_only(cache) -> None:
    disk = DigestDisk("unused")
    for value, read in (("text", False), (pickle.dumps(1), False), (Stored("0" * 64, 1), True)):
        with pytest.raises(TypeError, match="file handles"):
            disk.store(value, read)
    with pytest.raises(TypeError, match="file handles"):
        disk.fetch(1, None, "0" * 64, True)


def test_nobody_else_can_read_the_cache(cache, directory: Path) -> None:
    for path in (directory, *directory.rglob("*")):
        mode = 0o600 if path.is_file() else 0o700
        assert stat.S_IMODE(path.stat().st_mode) == mode, path


@pytest.mark.parametrize("inside", [".", "index", "entries"])
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_can_write_is_refused(directory: Path, mode: int, inside: str) -> None:
    (directory / inside).mkdir(parents=True, mode=0o700)
    (directory / inside).chmod(mode)
    with pytest.raises(PermissionError, match="only this user"):
        LocalEntries(directory)


@pytest.mark.parametrize("inside", [".", "index", "entries"])
def test_a_link_to_a_folder_is_refused(directory: Path, tmp_path: Path, inside: str) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (directory / inside).parent.mkdir(mode=0o700, exist_ok=True)
    (directory / inside).symlink_to(tmp_path / "real")
    with pytest.raises(PermissionError, match="only this user"):
        LocalEntries(directory)
    assert list((tmp_path / "real").iterdir()) == []


def test_diskcache_itself_evicts_nothing(cache, directory: Path) -> None:
    with sqlite3.connect(directory / "index" / "cache.db") as database:
        database.execute("UPDATE Settings SET value = 1 WHERE key = 'size_limit'")
    cache = LocalEntries(directory)
    put(cache, "newest", LARGE)
    assert sorted(cache.index.keys()) == ["large", "newest", "small"]


@pytest.mark.parametrize("failing", ["fsync", "fdopen", "replace"])
def test_a_file_that_could_not_be_written_whole_is_removed(
    cache, directory: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, failing, full)
    before = files(directory)
    for key in ("more", "large"):
        with pytest.raises(OSError, match="No space left"):
            put(cache, key, SMALL)
    monkeypatch.undo()
    assert files(directory) == before
    assert cache.get("large").meta == LARGE.meta
    assert "more" not in cache.index.keys()  # noqa: SIM118


@pytest.mark.parametrize("statement", ["INSERT", "UPDATE"])
def test_a_file_whose_row_could_not_be_written_is_removed(
    cache, directory: Path, statement: str
) -> None:
    before = files(directory)
    fill(directory, statement)
    for entry in (SMALL, LARGE):
        with pytest.raises(OSError, match="disk is full"):
            put(cache, "more" if statement == "INSERT" else "large", entry)
    assert files(directory) == before
    assert cache.get("large").meta == LARGE.meta, "also where its use cannot be noted"


def test_a_commit_that_fails_leaves_a_connection_that_works(
    cache, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(sqlite3.Connection):
        def execute(self, sql: str, *rest: object) -> sqlite3.Cursor:
            if sql == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(sql, *rest)

    connect = sqlite3.connect
    cache.index.close()
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Full))
    for key, entry in (("more", LARGE), ("large", SMALL), ("large", LARGE)):
        with pytest.raises(OSError, match="disk is full"):
            put(cache, key, entry)
    monkeypatch.undo()
    assert cache.get("large").meta == LARGE.meta
    put(cache, "small", LARGE)
    assert sorted(cache.index.keys()) == ["large", "small"]
    assert len(files(directory)) == 2


def test_waiting_for_another_writer_ends(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "TIMEOUT_SECONDS", 0.05)
    cache = LocalEntries(directory)
    put(cache, "large", LARGE)
    with contextlib.closing(sqlite3.connect(directory / "index" / "cache.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match="locked"):
            put(cache, "more", LARGE)
        assert cache.get("large").meta == LARGE.meta
    put(cache, "more", LARGE)


def test_every_method_that_could_unpickle_is_replaced() -> None:
    assert {"put", "get", "store", "fetch", "remove"} <= vars(DigestDisk).keys()


def test_what_a_killed_process_left_goes_when_the_cache_is_opened_alone(directory: Path) -> None:
    put(LocalEntries(directory), "large", LARGE)
    entry = stray(directory)
    temporary = entry.with_name(f"{entry.stem}.{'0' * 16}.tmp")
    temporary.write_bytes(b"x")
    cache = LocalEntries(directory)
    assert files(directory) == [file_of(directory)]
    assert cache.get("large").meta == LARGE.meta


def test_entries_are_kept_when_the_index_was_lost(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(LocalEntries(directory), "large", LARGE)
    lost = file_of(directory)
    shutil.rmtree(directory / "index")
    temporary = lost.with_name(f"{lost.stem}.{'0' * 16}.tmp")
    temporary.write_bytes(b"x")

    for _ in range(3):  # also once there are new entries
        caplog.clear()
        cache = LocalEntries(directory)
        (message,) = caplog.messages
        assert f"{directory} was made anew; entries that it does not know (1)" in message
        put(cache, "small", SMALL)
        del cache
        assert files(directory) == sorted([lost, file_of(directory, "small")])

    (directory / KEPT).unlink()
    LocalEntries(directory)
    assert files(directory) == [file_of(directory, "small")]


def test_entries_are_kept_beside_an_index_without_rows(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    LocalEntries(directory)
    path = stray(directory)
    cache = LocalEntries(directory)
    assert path.exists()
    assert len(caplog.messages) == 1
    put(cache, "small", SMALL)
    del cache
    LocalEntries(directory)
    assert not path.exists(), "a writer was killed before its first row"
