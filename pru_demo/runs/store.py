"""Where results live: a writable cache on this machine above the read-only bundled records.

    store = open_store(bundled=Path("assets/records"))
    entry = store.get(content_key("run", config)) or compute()

A damaged entry is never served. In the cache it is logged and counts as missing, so that it is
computed again; in the bundle it is missing too, and ``damaged()`` says how to restore it.
"""

import logging
import os
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pru_demo.runs.bundle import Bundle, write_bundle
from pru_demo.runs.canonical import JSON, SCHEMA, content_key
from pru_demo.runs.tensorfile import DamagedEntry, Entry, decode, encode

__all__ = [
    "SCHEMA",
    "DamagedEntry",
    "Entry",
    "Store",
    "StoreUnavailable",
    "content_key",
    "decode",
    "default_store_directory",
    "encode",
    "open_store",
    "write_bundle",
]

_log = logging.getLogger(__name__)


class StoreUnavailable(OSError):
    """The folder cannot hold the store; the message is a sentence for the operator."""


class Store:
    """Entries by key, from the cache in ``directory`` first, then from the ``bundled`` folder.

    ``notice`` is a sentence for the user if the store is not what was asked for, else None.
    Threads and processes may share one directory. Raises StoreUnavailable if the directory cannot
    be used, ModuleNotFoundError if diskcache is not installed.
    """

    def __init__(self, directory: Path, bundled: Path | None = None) -> None:
        try:
            from pru_demo.runs.safedisk import open_cache
        except ModuleNotFoundError as error:
            if error.name != "diskcache":
                raise
            sentence = "The result store needs diskcache; install it with: pip install diskcache"
            raise ModuleNotFoundError(sentence, name="diskcache") from error
        try:
            self._cache = open_cache(directory)
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(
                f"The folder {directory} cannot hold the result store: {error}. "
                "Set PRU_STORE_DIR to another folder."
            ) from error
        self._bundle = None if bundled is None else Bundle(bundled)
        self.directory = directory
        self.notice: str | None = None

    def get(self, key: str) -> Entry | None:
        """The entry of ``key``, or None if there is none that is whole."""
        entry = self._cached(key)
        if entry is None and self._bundle is not None:
            entry = self._bundle.get(key)
        return entry

    def meta(self, key: str) -> dict[str, JSON] | None:
        """The header of ``get(key)``; from the bundle it is read without the arrays."""
        if (entry := self._cached(key)) is not None:
            return entry.meta
        return None if self._bundle is None else self._bundle.meta(key)

    def put(self, key: str, meta: Mapping[str, JSON], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep an entry, replacing an older one; it is whole on disk when this returns.

        Raises what ``encode`` raises, and StoreUnavailable if the disk does not take it.
        """
        try:
            self._cache.set(key, Entry(dict(meta), dict(arrays)), retry=True)
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(
                f"{self.directory} does not accept a result: {error}."
            ) from error

    def keys(self, prefix: str = "") -> list[str]:
        """All keys of both layers that start with ``prefix``, sorted."""
        found = {key for key in self._cache if key}  # safedisk shows foreign rows as ""
        if self._bundle is not None:
            found.update(self._bundle.keys())
        return sorted(key for key in found if key.startswith(prefix))

    def delete(self, key: str) -> None:
        """Forget the entry in the cache, if there is one; bundled records stay."""
        self._cache.delete(key, retry=True)

    def damaged(self) -> list[str]:
        """A sentence for each damaged bundled record met so far."""
        return [] if self._bundle is None else self._bundle.damaged()

    def close(self) -> None:
        """Close this thread's connection; the store opens a new one if it is used again."""
        self._cache.close()

    def _cached(self, key: str) -> Entry | None:
        try:
            entry: Entry | None = self._cache.get(key, retry=True)
            if entry is None and key in self._cache:  # a row, but nothing whole behind it
                _log.warning("Stored entry %s is damaged; it will be computed again.", key)
        except sqlite3.DatabaseError as error:
            _log.warning("Stored entry %s cannot be read (%s).", key, error)
            return None
        return entry


def default_store_directory() -> Path:
    """``PRU_STORE_DIR``, else a folder in the user's cache directory."""
    if chosen := os.environ.get("PRU_STORE_DIR"):
        return Path(chosen)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("pru-demo")) / "store"


def open_store(bundled: Path | None = None) -> Store:
    """The store in its default folder; in a private temporary one if that cannot be used.

    In the second case ``notice`` says why, and the folder is removed with the store.
    """
    try:
        return Store(default_store_directory(), bundled)
    except StoreUnavailable as error:
        _log.warning(str(error))
        # One level down, so that what is kept beside a store is private and goes with it, too.
        private = Path(tempfile.mkdtemp(prefix="pru-store-"))
        store = Store(private / "store", bundled)
        store.notice = f"{error} Until then, results are lost when the program ends."
        weakref.finalize(store, shutil.rmtree, private, ignore_errors=True)
        return store
