"""What older versions stored can be moved, safely, while today's store lies in the same folder."""

import hashlib
import json
import pickle  # noqa: TID251  # to plant the attack
import shutil
import sqlite3
import struct
from pathlib import Path
from typing import Any

import diskcache
import numpy as np
import pytest
from safetensors.numpy import save

from pru_demo.store import DamagedEntry, Entry, Store
from pru_demo.store.old_layout import decode_old, old_entries, remove_old
from tests.store.test_local_entries import Payload, change_row

SMALL = Entry({"made": "before"}, {"a": np.arange(3, dtype=np.float32)})
LARGE = Entry({"made": "before, too"}, {"a": np.arange(50_000, dtype=np.float32)})


def encode_old(entry: Entry) -> bytes:
    head, body = json.dumps(entry.meta).encode(), save(entry.arrays)
    rest = struct.pack("<32sIQ", hashlib.sha256(body).digest(), len(head), len(body)) + head
    return b"PRU1" + hashlib.sha256(rest).digest() + rest + body


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir(mode=0o700)
    # Bytes are kept as they were: within the row, and above 32 kB in a file that it names.
    with diskcache.Cache(str(folder)) as cache:  # noqa: TID251  # what they were written with
        cache.set("v2:run:small", encode_old(SMALL))
        cache.set("v2:run:large", encode_old(LARGE))
    return folder


def read(folder: Path) -> dict[str, dict[str, Any]]:
    return {key: entry.meta for key, entry in old_entries(folder)}


def test_entries_in_rows_and_in_files_are_read(folder: Path) -> None:
    entries = dict(old_entries(folder))
    assert list(entries) == ["v2:run:small", "v2:run:large"]
    for entry, expected in zip(entries.values(), (SMALL, LARGE), strict=True):
        assert entry.meta == expected.meta
        np.testing.assert_array_equal(entry.arrays["a"], expected.arrays["a"], strict=True)


def test_the_old_index_is_read_with_what_a_killed_process_left_beside_it(folder: Path) -> None:
    other = folder.with_name("killed")
    with sqlite3.connect(folder / "cache.db") as database:  # so that nobody tidies up
        database.execute("DELETE FROM Cache WHERE key = 'v2:run:large'")
        database.commit()
        shutil.copytree(folder, other)
    (other / "cache.db-shm").unlink()
    assert (other / "cache.db-wal").exists()
    assert list(read(other)) == ["v2:run:small"]


def test_old_and_new_lie_in_one_folder_until_the_old_is_removed(folder: Path) -> None:
    store = Store(folder)
    assert store.keys() == []
    for key, entry in old_entries(folder):
        store.put(key, entry.meta, entry.arrays)
        remove_old(folder, [key, "unknown"])
    assert read(folder) == {}
    assert {path.name for path in folder.iterdir()} == {"store.lock", "index", "entries"}
    assert Store(folder).keys() == ["v2:run:large", "v2:run:small"]
    remove_old(folder)
    assert Store(folder).meta("v2:run:large") == LARGE.meta


def test_only_the_entries_of_the_given_keys_are_removed(folder: Path) -> None:
    remove_old(folder, ["v2:run:large"])
    assert read(folder) == {"v2:run:small": SMALL.meta}
    assert list(folder.rglob("*.val")) == []


def test_a_folder_without_an_old_store_has_no_old_entries(tmp_path: Path) -> None:
    assert read(tmp_path / "nothing") == {}
    Store(tmp_path / "new").put("k", {}, {})
    assert read(tmp_path / "new") == {}
    remove_old(tmp_path / "new")
    assert Store(tmp_path / "new").keys() == ["k"]


def test_what_is_damaged_is_logged_left_out_and_removed_with_the_rest(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (path,) = folder.rglob("*.val")
    path.write_bytes(path.read_bytes()[:-1])
    assert list(read(folder)) == ["v2:run:small"]
    (message,) = caplog.messages
    assert message == "Stored entry v2:run:large of an older version is left out: checksum differs"
    path.unlink()
    assert list(read(folder)) == ["v2:run:small"]
    remove_old(folder)
    assert list(folder.iterdir()) == []


def test_an_index_that_is_none_is_an_error_and_stays(folder: Path) -> None:
    (folder / "cache.db").write_bytes(b"not a database" * 1000)
    for action in (read, remove_old):
        with pytest.raises(OSError, match="not a database"):
            action(folder)
    assert len(list(folder.rglob("*.val"))) == 1


def test_planted_pickles_do_not_run(folder: Path, tmp_path: Path) -> None:
    payload = pickle.dumps(Payload(tmp_path / "code-ran"))
    (path,) = folder.rglob("*.val")
    path.write_bytes(payload)
    change_row(folder, "v2:run:large", mode=4)
    change_row(folder, "v2:run:small", mode=4, value=payload)
    assert read(folder) == {}
    change_row(folder, "v2:run:small", key=payload, raw=0)
    assert read(folder) == {}
    remove_old(folder)
    assert not (tmp_path / "code-ran").exists()


@pytest.mark.parametrize("name", ["../victim", "{victim}", "ab/cd/../../../victim"])
def test_a_planted_file_name_is_neither_read_nor_deleted(folder: Path, name: str) -> None:
    victim = folder.parent / "victim"
    victim.write_bytes(encode_old(LARGE))
    change_row(folder, "v2:run:large", filename=name.format(victim=victim))
    assert list(read(folder)) == ["v2:run:small"]
    remove_old(folder)
    assert victim.exists()


@pytest.mark.parametrize("above", [False, True])
def test_links_are_not_followed(folder: Path, tmp_path: Path, above: bool) -> None:
    (path,) = folder.rglob("*.val")
    linked = path.parent if above else path
    outside = tmp_path / "outside"
    linked.rename(outside)
    linked.symlink_to(outside)
    assert list(read(folder)) == ["v2:run:small"]
    remove_old(folder)
    assert (outside / path.name if above else outside).is_file()


def test_every_truncation_and_any_changed_byte_of_old_bytes_is_damage() -> None:
    data = encode_old(SMALL)
    assert decode_old(data).meta == SMALL.meta
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1
        for wrong in (data[:position], bytes(flipped)):
            with pytest.raises(DamagedEntry):
                decode_old(wrong)
    with pytest.raises(DamagedEntry):
        decode_old(data + b"\0")
