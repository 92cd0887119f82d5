"""A disk that fails costs at most the result at hand: what was stored is served, or said."""

import contextlib
import errno
import fcntl
import os
import pickle  # noqa: TID251  # to plant the attack
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pru_demo.store import Store, StoreUnavailable, index, local_entries, open_store
from tests.store.test_local_entries import Payload, file_of, files, fill, plant, stray

LARGE = {"a": np.arange(50_000, dtype=np.float32)}
SMALL = {"a": np.arange(3, dtype=np.float32)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Store:
    store = Store(folder)
    store.put("old", {"made": "before"}, LARGE)
    return store


def refuse(number: int) -> Callable[..., int]:
    def open_(*args: object, **options: object) -> int:
        raise OSError(number, os.strerror(number))

    return open_


def assert_works_again(store: Store) -> None:
    """The old entry is there, a new one can be written, and nothing else lies about."""
    assert store.meta("old") == {"made": "before"}
    store.put("new", {"made": "after"}, LARGE)
    assert store.meta("new") == {"made": "after"}
    assert store.cache.orphans() == []


def test_a_missing_folder_is_made_with_all_above_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "not" / "yet" / "there")
    store.put("k", {"made": "here"}, LARGE)
    assert Store(tmp_path / "not" / "yet" / "there").meta("k") == {"made": "here"}


@pytest.mark.parametrize("by_whom", ["nobody", "another process"])
def test_a_folder_removed_while_it_is_open_is_made_again(
    store: Store, folder: Path, by_whom: str
) -> None:
    folder.rename(folder.with_name("gone"))
    if by_whom == "another process":
        Store(folder).put("theirs", {}, SMALL)
    assert store.get("old") is None
    store.put("new", {"made": "after"}, LARGE)
    assert Store(folder).meta("new") == {"made": "after"}
    assert (store.get("theirs") is not None) == (by_whom == "another process")


def test_a_folder_below_a_file_falls_back_and_says_so_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PRU_STORE_DIR", str(tmp_path / "file" / "store"))
    store = open_store()
    assert store.notice == (
        f"The folder {tmp_path}/file/store cannot hold the result store: Not a directory. "
        "Set PRU_STORE_DIR to another folder. "
        "Until then, results are lost when the program ends."
    )
    store.put("k", {"made": "here"}, LARGE)
    assert store.meta("k") == {"made": "here"}


def test_a_folder_that_is_a_link_falls_back_and_the_target_is_left_alone(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    folder.symlink_to(target)
    monkeypatch.setenv("PRU_STORE_DIR", str(folder))
    store = open_store()
    assert "it must be a real folder" in str(store.notice)
    store.put("k", {}, LARGE)
    assert list(target.iterdir()) == []


def test_a_read_only_folder_falls_back_and_keeps_what_is_in_it(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRU_STORE_DIR", str(folder))
    open_, read_only = os.open, refuse(errno.EROFS)
    monkeypatch.setattr(
        os,
        "open",
        lambda path, *rest: (read_only if folder in Path(path).parents else open_)(path, *rest),
    )
    other = open_store()
    assert "cannot hold the result store: Read-only file system. Set PRU" in str(other.notice)
    monkeypatch.undo()
    assert_works_again(Store(folder))


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EIO])
def test_a_disk_that_stops_taking_files_refuses_the_new_entry_only(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(local_entries, "_write", refuse(number))
    for key in ("new", "old"):
        with pytest.raises(StoreUnavailable) as refused:
            store.put(key, {}, LARGE)
        assert str(refused.value) == (
            f"The result store in {store.directory} does not accept a result: "
            f"{os.strerror(number)}. What was stored before is still there."
        )
    assert store.meta("old") == {"made": "before"}
    monkeypatch.undo()
    assert_works_again(store)


def test_a_disk_that_fills_up_within_a_file_leaves_no_part_of_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", refuse(errno.ENOSPC))
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        store.put("old", {}, LARGE)
    monkeypatch.undo()
    assert files(store.directory) == [file_of(store.directory, "old")]
    assert_works_again(store)


@pytest.mark.parametrize("arrays", [SMALL, LARGE], ids=["small", "large"])
def test_an_index_that_is_full_refuses_new_entries_and_serves_old_ones(
    store: Store, folder: Path, arrays: dict[str, np.ndarray]
) -> None:
    store.put("small", {"made": "before"}, SMALL)
    for statement in ("INSERT", "UPDATE"):
        fill(folder, statement)
    for key in ("new", "old"):
        with pytest.raises(StoreUnavailable, match=r"result: database or disk is full\. What"):
            store.put(key, {}, arrays)
    assert store.meta("old") == store.meta("small") == {"made": "before"}
    assert store.get("new") is None
    with sqlite3.connect(folder / "index" / "cache.db") as database:
        database.executescript("DROP TRIGGER FullINSERT; DROP TRIGGER FullUPDATE")
    assert_works_again(store)


def test_what_cannot_be_deleted_is_said(store: Store, folder: Path) -> None:
    with sqlite3.connect(folder / "index" / "cache.db") as database:
        database.execute(
            "CREATE TRIGGER Stuck BEFORE DELETE ON Cache BEGIN SELECT RAISE(FAIL, 'stuck'); END"
        )
    with pytest.raises(StoreUnavailable, match="does not forget a result: stuck"):
        store.delete("old")
    assert store.meta("old") == {"made": "before"}


def test_a_writer_that_does_not_end_keeps_nobody_from_reading(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "TIMEOUT_SECONDS", 0.05)
    store = Store(folder)
    with contextlib.closing(sqlite3.connect(folder / "index" / "cache.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.get("old") is not None
        assert store.meta("old") == {"made": "before"}
        assert store.get("new") is None
        with pytest.raises(StoreUnavailable, match="result: database is locked"):
            store.put("new", {}, LARGE)
    assert_works_again(store)


def test_a_planted_pickle_does_not_run_and_is_computed_again(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    plant(folder, "old", mode=4, value=pickle.dumps(Payload(tmp_path / "code-ran")))
    assert store.get("old") is None
    store.put("old", {"made": "before"}, LARGE)
    assert_works_again(store)
    assert not (tmp_path / "code-ran").exists()


def test_a_row_that_points_outside_is_not_followed_by_any_upkeep(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim.val"
    victim.write_text("precious")
    plant(folder, "old", filename="../victim.val", access_time=0)
    assert store.get("old") is None
    (row,) = store.cache.index.rows()
    assert "is refused" in str(store.cache.damage(row))
    store.cache.damage(row, remove=True)
    assert store.keys() == []
    store.put("old", {}, LARGE)
    plant(folder, "old", filename="../victim.val")
    store.cache.remove(store.cache.index.rows())
    assert victim.read_text() == "precious"


def test_a_clock_that_goes_back_loses_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 400 * 24 * 3600)
    assert_works_again(store)
    assert_works_again(Store(store.directory))


def test_only_files_of_ours_are_removed_as_orphans(folder: Path, tmp_path: Path) -> None:
    Store(folder).put("old", {"made": "before"}, LARGE)
    ours = stray(folder)
    entries, outside = folder / "entries", tmp_path / "outside"
    others = [
        folder / "notes.txt",
        folder / "ab" / "cd" / ("0" * 28 + ".val"),  # of the layout before
        entries / ours.name,
        entries / "ab" / "notes.safetensors",
        entries / "ab" / f"cd{ours.name[2:]}",
        outside / f"ef{ours.name[2:]}",
    ]
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (entries / "ef").symlink_to(outside)

    store = Store(folder)
    assert not ours.exists()
    assert all(path.exists() for path in others)
    assert_works_again(store)


def test_without_file_locks_a_store_works_and_tidies_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", refuse(errno.ENOLCK))
    Store(folder).put("old", {"made": "before"}, LARGE)
    orphan = stray(folder)
    assert Store(folder).meta("old") == {"made": "before"}
    assert orphan.exists()


def test_a_store_that_could_not_be_opened_does_not_keep_others_out(folder: Path) -> None:
    (folder / "index").mkdir(mode=0o700, parents=True)
    (folder / "index" / "cache.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailable) as kept:  # and with it the frames that held the lock
        Store(folder)
    assert "not a database" in str(kept.value)
    (folder / "index" / "cache.db").unlink()
    Store(folder).put("k", {}, SMALL)
