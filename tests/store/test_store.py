"""Local results above bundled records; what is damaged is said and never served."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pru_demo.store import (
    SCHEMA,
    Entry,
    Store,
    StoreUnavailable,
    content_key,
    default_store_directory,
    open_store,
    write_bundle,
)
from tests.store.test_local_entries import spoil

RECORD = Entry({"made": "bundled"}, {"curve": np.linspace(0, 1, 20_000, dtype=np.float32)})
KEY, OTHER = content_key("run", {"class": 9}), content_key("run", {"class": 8})


@pytest.fixture
def bundled(tmp_path: Path) -> Path:
    directory = tmp_path / "records"
    write_bundle(directory, {KEY: RECORD, OTHER: RECORD}, {KEY: "nine.rec", OTHER: "eight.rec"})
    return directory


@pytest.fixture
def store(tmp_path: Path, bundled: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store", bundled)
    yield store
    store.close()


def test_equal_content_has_one_key_and_different_content_another() -> None:
    assert content_key("run", {"a": 1, "b": 2}) == content_key("run", {"b": 2, "a": 1})
    assert KEY != OTHER
    assert content_key("run", 1) != content_key("map", 1)
    assert KEY.startswith(f"v{SCHEMA}:run:")
    with pytest.raises(ValueError, match="JSON"):
        content_key("run", {"rate": float("nan")})


def test_what_is_put_is_got(store: Store) -> None:
    store.put("k", {"made": "here"}, RECORD.arrays)
    entry = store.get("k")
    assert entry is not None
    assert entry.meta == store.meta("k") == {"made": "here"}
    np.testing.assert_array_equal(entry.arrays["curve"], RECORD.arrays["curve"], strict=True)


def test_another_store_on_the_same_folder_sees_the_entry(store: Store) -> None:
    store.put("k", {"made": "here"}, {})
    assert Store(store.directory).meta("k") == {"made": "here"}


def test_an_unknown_key_is_none(store: Store) -> None:
    assert store.get("unknown") is None
    assert store.meta("unknown") is None
    store.delete("unknown")


def test_the_local_layer_covers_the_bundled_one_until_deleted(store: Store) -> None:
    assert store.meta(KEY) == {"made": "bundled"}
    store.put(KEY, {"made": "here"}, {})
    assert store.get(KEY) == Entry({"made": "here"}, {})
    assert store.meta(KEY) == {"made": "here"}
    store.delete(KEY)
    assert store.meta(KEY) == {"made": "bundled"}


def test_a_bundled_entry_can_be_withdrawn_until_there_is_another(store: Store) -> None:
    store.put(KEY, {"made": "here"}, {})
    store.withdraw(KEY)
    assert store.get(KEY) is None
    assert store.meta(KEY) is None
    store.put(KEY, {"made": "anew"}, {})
    assert store.meta(KEY) == {"made": "anew"}
    store.withdraw(KEY)
    store.delete(KEY)
    assert store.meta(KEY) == {"made": "bundled"}
    store.put("alone", {}, {})
    store.withdraw("alone")
    assert "alone" not in store.keys()  # noqa: SIM118


def test_keys_come_from_both_layers_and_follow_the_prefix(store: Store) -> None:
    store.put(f"v{SCHEMA}:map:1", {}, {})
    store.put(KEY, {}, {})
    assert store.keys(f"v{SCHEMA}:run:") == sorted([KEY, OTHER])
    assert store.keys() == sorted([KEY, OTHER, f"v{SCHEMA}:map:1"])


def test_a_damaged_local_entry_is_logged_with_its_key_and_missing(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.put("k", {}, RECORD.arrays)
    (path,) = store.directory.glob("entries/??/*")
    path.write_bytes(path.read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        assert store.get("k") is None
    assert "Stored entry k is damaged" in caplog.text
    store.put("k", {"made": "again"}, {})
    assert store.meta("k") == {"made": "again"}


def test_a_damaged_local_entry_uncovers_the_bundled_one(store: Store) -> None:
    store.put(KEY, {"made": "here"}, RECORD.arrays)
    (path,) = store.directory.glob("entries/??/*")
    path.write_bytes(b"")
    assert store.meta(KEY) == {"made": "bundled"}


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_a_damaged_bundled_record_is_missing_and_the_rest_goes_on(
    store: Store, bundled: Path, damage: str
) -> None:
    spoil(bundled / "nine.rec", damage)

    assert store.damaged() == []
    assert store.get(KEY) is None
    assert store.get(OTHER) is not None
    (sentence,) = store.damaged()
    assert sentence.startswith("Bundled record nine.rec is damaged (")
    assert sentence.endswith("Restore it with: python -m pru_demo precompute")
    if damage == "flip":
        assert "(checksum differs)" in sentence


def test_a_record_swapped_for_another_valid_one_is_damaged(store: Store, bundled: Path) -> None:
    write_bundle(bundled.parent / "b", {KEY: Entry({"made": "forged!"}, RECORD.arrays)}, {KEY: "f"})
    (bundled / "nine.rec").write_bytes((bundled.parent / "b" / "f").read_bytes())
    assert store.get(KEY) is None
    assert "checksum differs" in store.damaged()[0]


def test_the_header_of_a_bundled_record_is_served_from_its_first_bytes(
    store: Store, bundled: Path
) -> None:
    path = bundled / "nine.rec"
    path.write_bytes(path.read_bytes()[:1000])
    assert store.meta(KEY) == {"made": "bundled"}
    path.write_bytes(path.read_bytes()[:90])
    assert store.meta(KEY) is None
    assert "nine.rec" in store.damaged()[0]


@pytest.mark.parametrize("name", ["../victim", "/etc/passwd", "a/b", "..", ".hidden", ""])
def test_an_unsafe_file_name_is_neither_written_nor_read(bundled: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a bundled record"):
        write_bundle(bundled, {KEY: RECORD}, {KEY: name})

    manifest = json.loads((bundled / "manifest.json").read_text())
    manifest["entries"][KEY]["file"] = name
    (bundled / "manifest.json").write_text(json.dumps(manifest))
    store = Store(bundled.parent / "store", bundled)
    assert store.get(KEY) is None
    assert "manifest.json is damaged" in store.damaged()[0]


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 2, "entries": {}}', '{"schema": 1}'])
def test_a_damaged_manifest_is_said_and_the_local_layer_still_works(
    bundled: Path, text: str
) -> None:
    (bundled / "manifest.json").write_text(text)
    store = Store(bundled.parent / "store", bundled)
    assert store.keys() == []
    assert "Bundled record manifest.json is damaged" in store.damaged()[0]
    store.put("k", {"made": "here"}, {})
    assert store.meta("k") == {"made": "here"}


def test_a_folder_without_manifest_is_an_empty_bundle(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", tmp_path / "nothing")
    assert store.keys() == []
    assert store.damaged() == []


def test_rewriting_a_bundle_removes_what_is_no_longer_listed_and_nothing_else(
    bundled: Path,
) -> None:
    (bundled / "README.md").write_text("kept")
    write_bundle(bundled, {KEY: RECORD}, {KEY: "nine.rec"})
    assert {path.name for path in bundled.iterdir()} == {"manifest.json", "nine.rec", "README.md"}


def test_two_records_cannot_share_a_file(bundled: Path) -> None:
    with pytest.raises(ValueError, match="same file name"):
        write_bundle(bundled, {KEY: RECORD, OTHER: RECORD}, {KEY: "a.rec", OTHER: "A.rec"})


def test_a_failed_write_leaves_the_old_bundle_and_no_temporary_file(
    bundled: Path, store: Store
) -> None:
    with pytest.raises(TypeError):
        write_bundle(bundled, {KEY: Entry({}, {"a": np.array([None])})}, {KEY: "nine.rec"})
    assert store.get(KEY) is not None
    assert not list(bundled.glob(".*"))


def test_the_store_directory_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("PRU_STORE_DIR", str(tmp_path / "chosen"))
    assert default_store_directory() == tmp_path / "chosen"
    monkeypatch.delenv("PRU_STORE_DIR")
    assert default_store_directory().parts[-2:] == ("pru-demo", "store")


@pytest.mark.parametrize("obstacle", ["file", "writable by others", "no database"])
def test_an_unusable_folder_falls_back_to_a_private_temporary_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bundled: Path, obstacle: str
) -> None:
    directory = tmp_path / "refused"
    if obstacle == "file":
        directory.write_text("not a folder")
    else:
        directory.mkdir()
        (directory / "index").mkdir(mode=0o700)
        (directory / "index" / "cache.db").write_bytes(b"not a database" * 1000)
        directory.chmod(0o777 if obstacle == "writable by others" else 0o700)
    monkeypatch.setenv("PRU_STORE_DIR", str(directory))

    with pytest.raises(StoreUnavailable, match="Set PRU_STORE_DIR to another folder"):
        Store(directory)
    store = open_store(bundled)

    assert store.notice is not None
    assert str(directory) in store.notice
    assert store.directory != directory
    store.put("k", {"made": "here"}, {})
    assert store.keys() == sorted(["k", KEY, OTHER])
    temporary = store.directory
    store.close()
    del store
    assert not temporary.exists()


def test_a_usable_folder_gives_no_notice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRU_STORE_DIR", str(tmp_path / "fine"))
    assert open_store().notice is None


def test_without_diskcache_bundles_work_and_the_store_says_what_is_missing(tmp_path: Path) -> None:
    code = f"""
import sys; sys.modules["diskcache"] = None
from pathlib import Path
from pru_demo.store import *
write_bundle(Path({str(tmp_path)!r}), {{"k": decode(encode({{}}, {{}}))}}, {{"k": "k.rec"}})
try: Store(Path({str(tmp_path)!r}) / "store")
except ModuleNotFoundError as error: print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    assert "pip install diskcache" in done.stdout
    assert (tmp_path / "manifest.json").exists()
