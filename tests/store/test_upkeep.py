"""What goes when the store is too large, and what never does."""

import logging
import time
from pathlib import Path

import numpy as np
import pytest

from pru_demo.store import Store, upkeep
from pru_demo.store.entry import SCHEMA
from pru_demo.store.upkeep import kind_of, kinds, make_room, prune, size_limit

HOUR, DAY = 3600.0, 24 * 3600.0
MILLION = {"a": np.zeros(250_000, dtype=np.float32)}
"""Arrays of a megabyte."""


class Clock:
    """The time of day, which a test can set."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 1_700_000_000.0
        patch.setattr(time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Has room for three megabytes and its index."""
    monkeypatch.setenv("PRU_STORE_GB", "0.0035")
    return Store(tmp_path / "store")


def fill(store: Store, *keys: str) -> None:
    for key in keys:
        store.put(key, {}, MILLION)


def test_what_was_not_used_for_longest_goes_first_and_no_more_than_needed(
    store: Store, clock: Clock
) -> None:
    for key in ("a", "b", "c"):
        fill(store, key)
        clock.now += HOUR
    clock.now += DAY
    fill(store, "d")
    assert store.keys() == ["b", "c", "d"]


@pytest.mark.parametrize("read", [Store.get, Store.meta])
def test_reading_is_using(store: Store, clock: Clock, read) -> None:
    fill(store, "a", "b", "c")
    clock.now += DAY
    read(store, "a")
    fill(store, "d", "e")
    assert store.keys() == ["a", "d", "e"]


def test_what_was_used_in_the_last_twelve_hours_stays_with_one_warning(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    fill(store, "a", "b", "c")
    clock.now += 11.9 * HOUR
    with caplog.at_level(logging.WARNING):
        fill(store, "d", "e")
    assert store.keys() == ["a", "b", "c", "d", "e"]
    (message,) = caplog.messages
    assert "MB above its limit (PRU_STORE_GB)" in message

    clock.now += DAY
    fill(store, "f")
    assert store.keys() == ["d", "e", "f"]
    with caplog.at_level(logging.WARNING):
        fill(store, "g", "h", "i")
    assert len(caplog.messages) == 2, "it fitted in between, so it is said again"


def test_an_entry_larger_than_the_limit_is_kept(store: Store, clock: Clock) -> None:
    fill(store, "a")
    clock.now += DAY
    store.put("large", {}, {"a": np.zeros(10**6, dtype=np.float32)})
    assert store.keys() == ["large"]


def test_a_clock_that_goes_back_makes_nothing_removable(store: Store, clock: Clock) -> None:
    fill(store, "old")
    clock.now += 2 * DAY
    fill(store, "a", "b")
    clock.now -= 30 * DAY
    fill(store, "c", "d")
    assert store.keys() == ["a", "b", "c", "d", "old"], "all of it was used just now or later"
    clock.now += 29 * DAY
    fill(store, "e")
    assert store.keys() == ["a", "b", "e"], "the uses of the wrong time are the oldest"


def test_the_entry_just_written_stays_even_if_the_clock_jumps_while_it_is_written(
    store: Store, clock: Clock
) -> None:
    fill(store, "a")
    clock.now += DAY
    make_room(store.cache, 0, keep="a")
    assert store.keys() == ["a"]
    make_room(store.cache, 0)
    assert store.keys() == []


def test_what_is_used_between_choosing_and_removing_stays(store: Store, clock: Clock) -> None:
    fill(store, "a", "b")
    clock.now += DAY
    chosen = store.cache.index.rows(clock.now - HOUR)
    assert store.get("a") is not None
    assert [row.key for row in store.cache.remove(chosen)] == ["b"]
    assert store.keys() == ["a"]


def test_a_removed_entry_takes_its_file_with_it(store: Store, clock: Clock) -> None:
    fill(store, "a")
    clock.now += DAY
    make_room(store.cache, 0)
    assert list(store.directory.glob("entries/??/*")) == []
    assert store.get("a") is None


def test_a_result_is_stored_even_if_nothing_can_be_removed(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise OSError("disk I/O error")

    monkeypatch.setattr(upkeep, "make_room", fail)
    with caplog.at_level(logging.WARNING):
        fill(store, "a")
    assert store.keys() == ["a"]
    assert "cannot be removed: disk I/O error" in caplog.text


@pytest.mark.parametrize("text", ["much", "-1", "0", "nan", "inf", "20GB"])
def test_a_limit_that_is_no_positive_number_is_said_and_removes_nothing(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("PRU_STORE_GB", text)
    with pytest.raises(ValueError, match="must be a positive number of gigabytes"):
        size_limit()
    monkeypatch.setattr(upkeep, "SIZE_LIMIT_BYTES", 1)
    store = Store(tmp_path / "store")
    assert store.notice == (
        f"PRU_STORE_GB is {text!r}; it must be a positive number of gigabytes. "
        "Until then, the result store grows without limit."
    )
    fill(store, "a")
    clock.now += DAY
    fill(store, "b")
    assert store.keys() == ["a", "b"]


def test_the_limit_is_two_gigabytes_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRU_STORE_GB", raising=False)
    assert size_limit() == 2_000_000_000
    monkeypatch.setenv("PRU_STORE_GB", "0.5")
    assert size_limit() == 500_000_000


def test_pruning_removes_partial_results_of_a_week_ago(store: Store, clock: Clock) -> None:
    fill(store, f"v{SCHEMA}:partial:old", f"v{SCHEMA}:run:old")
    clock.now += 6 * DAY
    fill(store, f"v{SCHEMA}:partial:new")
    clock.now += 1.1 * DAY
    assert [row.key for row in prune(store.cache, 10**9)] == [f"v{SCHEMA}:partial:old"]
    assert store.keys() == [f"v{SCHEMA}:partial:new", f"v{SCHEMA}:run:old"]


def test_pruning_removes_what_another_version_wrote_unless_it_is_in_use(
    store: Store, clock: Clock
) -> None:
    fill(store, "v0:run:a", f"v{SCHEMA}:run:a")
    clock.now += DAY
    fill(store, f"v{SCHEMA + 1}:run:a")
    prune(store.cache, 10**9)
    assert store.keys() == [f"v{SCHEMA}:run:a", f"v{SCHEMA + 1}:run:a"]


def test_pruning_makes_room_but_not_of_what_is_in_use(store: Store, clock: Clock) -> None:
    fill(store, f"v{SCHEMA}:run:a", f"v{SCHEMA}:run:b")
    clock.now += DAY
    fill(store, f"v{SCHEMA}:run:c")
    prune(store.cache, 0)
    assert store.keys() == [f"v{SCHEMA}:run:c"]


def test_kinds_count_entries_bytes_and_times_of_use(store: Store, clock: Clock) -> None:
    fill(store, f"v{SCHEMA}:run:a")
    clock.now += HOUR
    fill(store, f"v{SCHEMA}:run:b", f"v{SCHEMA}:map:a")
    of_map, of_runs = kinds(store.cache.index.rows())
    assert (of_map.kind, of_map.entries) == ("map", 1)
    assert (of_runs.kind, of_runs.entries) == ("run", 2)
    assert of_runs.bytes == 2 * of_map.bytes > 2_000_000
    assert (of_runs.oldest_use, of_runs.newest_use) == (clock.now - HOUR, clock.now)


def test_the_kind_is_in_the_key() -> None:
    assert kind_of(f"v{SCHEMA}:partial:abc") == "partial"
    assert kind_of("v0:run:abc") == "run (v0)"
    assert kind_of("k") == kind_of("") == kind_of(f"v{SCHEMA}:run:") == "unknown"
