"""The store that tasks put their results into: that of this machine, or the engine's over a relay.

A worker of Ray may be on any machine, and has no disk in common with the engine. There a task's
store is a ``RelayedStore``, which asks; in the engine process ``answer`` does what was asked.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

from numpy.typing import NDArray

from pru_demo.paths import RECORDS
from pru_demo.store import Entry, Store, decode, default_store_directory, encode, open_store

# Set in an engine that makes the bundled records anew: what is to be made must not be found.
WITHOUT_BUNDLE = "PRU_WITHOUT_BUNDLE"

_relayed: Store | None = None


def worker_store() -> Store:
    """The store that results go to."""
    return _relayed or own_store()


@lru_cache(maxsize=1)
def own_store() -> Store:
    """The store of this machine, opened once per process."""
    return open_store(None if os.environ.get(WITHOUT_BUNDLE) else RECORDS)


@dataclass(frozen=True)
class Question:
    """What a task wants of the engine's store; ``data`` is the encoded entry of a put."""

    wants: Literal["get", "put", "delete", "withdraw"]
    key: str
    data: bytes = b""


def relay_to(ask: Callable[[Question], bytes | None]) -> None:
    """From now on results of this process go wherever ``ask`` has its answers from."""
    global _relayed
    # It has what tasks use of a store; a subclass would inherit what it cannot do.
    _relayed = cast(Store, RelayedStore(ask))


class RelayedStore:
    """The part of ``Store`` that tasks use; what is put is on the engine's disk when it returns."""

    def __init__(self, ask: Callable[[Question], bytes | None]) -> None:
        self._ask = ask
        # What tasks keep beside the store, trained originals, stays on the machine they run on.
        self.directory = default_store_directory()

    def get(self, key: str) -> Entry | None:
        data = self._ask(Question("get", key))
        return None if data is None else decode(data)

    def meta(self, key: str) -> dict[str, Any] | None:
        entry = self.get(key)
        return None if entry is None else entry.meta

    def put(self, key: str, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self._ask(Question("put", key, encode(meta, arrays)))

    def delete(self, key: str) -> None:
        self._ask(Question("delete", key))

    def withdraw(self, key: str) -> None:
        self._ask(Question("withdraw", key))


def answer(question: Question) -> bytes | None:
    """Do in the store of this machine what a task elsewhere wants: the encoded entry of a get."""
    store, key = own_store(), question.key
    match question.wants:
        case "get":
            entry = store.get(key)
            return None if entry is None else encode(entry.meta, entry.arrays)
        case "put":
            entry = decode(question.data)
            store.put(key, entry.meta, entry.arrays)
        case "delete":
            store.delete(key)
        case "withdraw":
            store.withdraw(key)
    return None
