"""Results of a worker that has no disk in common with the engine."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pru_demo.jobs import worker_store as module
from pru_demo.jobs.worker_store import answer, own_store, relay_to, worker_store
from pru_demo.store import Store


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of the engine; that of the worker asks it."""
    monkeypatch.setattr(module, "_relayed", None)
    monkeypatch.setenv("PRU_STORE_DIR", str(tmp_path / "store"))
    own_store.cache_clear()
    yield own_store()
    own_store().close()
    own_store.cache_clear()


def test_a_worker_has_the_store_of_its_machine_unless_it_is_told_whom_to_ask(
    engines: Store,
) -> None:
    assert worker_store() is engines
    relay_to(answer)
    assert worker_store() is not engines


def test_what_a_relayed_store_is_told_is_done_in_the_engines_store(engines: Store) -> None:
    relay_to(answer)
    store = worker_store()
    assert store.get("k") is None
    assert store.meta("k") is None

    store.put("k", {"a": [1, None]}, {"x": np.arange(3)})
    for each in (store, engines):
        assert each.meta("k") == {"a": [1, None]}
        entry = each.get("k")
        assert entry is not None
        np.testing.assert_array_equal(entry.arrays["x"], [0, 1, 2])

    store.delete("k")
    assert engines.get("k") is None


def test_a_relayed_store_withdraws_also_what_is_bundled(engines: Store) -> None:
    relay_to(answer)
    bundled = engines.keys()[0]
    worker_store().withdraw(bundled)
    assert engines.get(bundled) is None
