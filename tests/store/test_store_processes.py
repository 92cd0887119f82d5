"""Several processes share one store, and any of them may be killed at any moment."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pru_demo.paths import ROOT
from pru_demo.store import Store
from tests.store.test_local_entries import file_of, files, stray
from tests.store.writers import KEYS, STEPS, content, write

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def whole(store: Store, key: str) -> int | None:
    """The seed of what is stored, None if nothing is; fails if it is not all of it."""
    entry = store.get(key)
    if entry is None:
        return None
    seed = entry.meta["seed"]
    assert KEYS[seed % len(KEYS)] == key
    np.testing.assert_array_equal(entry.arrays["a"], content(seed)["a"], strict=True)
    return int(seed)


@pytest.mark.slow
def test_fifty_writers_killed_at_random_lose_no_confirmed_write(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "store"
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.writers", str(folder), "50"],
        cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    confirmed = {key: int(seed) for key, seed in map(str.split, done.stdout.splitlines())}
    assert confirmed, "something was written between two kills"

    store = Store(folder)  # nobody else has it open, so this tidies up
    for key in KEYS:
        # The last write may have been committed and not yet confirmed.
        assert (whole(store, key) or 0) >= confirmed.get(key, 0)
    assert caplog.messages == []
    assert store.cache.index.damage() is None
    assert {store.cache.damage(row) for row in store.cache.index.rows()} == {None}
    assert store.cache.orphans() == []
    assert files(folder) == sorted(file_of(folder, row.key) for row in store.cache.index.rows())
    sizes = sum(row.size for row in store.cache.index.rows())
    assert sum(path.stat().st_size for path in files(folder)) == sizes
    with sqlite3.connect(folder / "index" / "cache.db") as database:
        ((counted,),) = database.execute("SELECT value FROM Settings WHERE key = 'size'").fetchall()
    assert counted == sizes, "the counted size is that of the entries"


def test_a_writer_killed_at_any_step_leaves_the_old_entry_or_the_new_one(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.store.writers", str(tmp_path), "at each step"],
        cwd=ROOT, env=ENVIRONMENT, check=True, timeout=60,
    )  # fmt: skip
    steps = [(step, after) for step in STEPS for after in (False, True)]
    for number, (step, after) in enumerate(steps):
        folder = tmp_path / f"{step} {after}"
        left = len(files(folder))
        assert left == (1 if (step, after) == ("unlink", True) else 2), "it died where it should"
        store = Store(folder)
        committed = number >= steps.index(("COMMIT", True))
        made, seed = ("after", 1) if committed else ("before", 0)
        entry = store.get("k")
        assert entry is not None
        assert entry.meta == {"made": made}, (step, after)
        np.testing.assert_array_equal(entry.arrays["a"], content(seed)["a"], strict=True)
        assert files(folder) == [file_of(folder, "k")], (step, after)


@pytest.mark.slow
def test_two_processes_write_and_read_one_store_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    program = (
        "import sys; from pathlib import Path; from pru_demo.store import Store\n"
        "from tests.store.writers import write; from tests.store.test_store_processes import *\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for seed in range(1_000, 1_150):\n"
        "    write(store, seed)\n"
        "    assert whole(store, KEYS[seed % len(KEYS)]) is not None\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(store.directory)], cwd=ROOT, env=ENVIRONMENT
    )
    seeds, seen, end = iter(range(2_000, 10_000)), set(), time.monotonic() + 60
    while other.poll() is None:
        assert time.monotonic() < end
        key = write(store, next(seeds))
        assert whole(store, key) is not None
        seen |= {whole(store, each) for each in KEYS}
    assert other.returncode == 0
    assert {seed // 1_000 for seed in seen if seed} == {1, 2}, "each saw what the other wrote"
    assert [store.cache.damage(row) for row in store.cache.index.rows()] == [None] * len(KEYS)
    assert store.cache.orphans() == []


def test_two_processes_that_write_the_same_contents_in_turn_keep_them(tmp_path: Path) -> None:
    """What one replaces and removes has the very name that the other is just writing."""
    folder = tmp_path / "store"
    program = (
        "import sys; from pathlib import Path; from pru_demo.store import Store\n"
        "store = Store(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()\n"
        "for number in range(250):\n"
        "    store.put('k', {'n': number % 2}, {})\n"
        "    assert store.get('k') is not None\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(folder)],
            cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait(60) for writer in writers] == [0, 0]
    store = Store(folder)
    assert store.get("k") is not None
    assert store.cache.orphans() == []


def test_a_store_that_another_process_has_open_is_not_tidied(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    Store(folder).put("k", {}, {})
    program = (
        "import sys; from pathlib import Path; from pru_demo.store import Store\n"
        "store = Store(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert other.stdout is not None
    assert other.stdout.readline() == b"open\n"
    orphan = stray(folder)  # about to be named by a row

    store = Store(folder)
    assert orphan.exists()
    assert store.cache.orphans() == [(orphan, 1)]
    del store
    other.kill()
    other.communicate()

    Store(folder)
    assert not orphan.exists()
