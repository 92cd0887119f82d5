"""Where results live: a writable cache on this machine above the read-only bundled records.

    store = open_store(bundled=Path("assets/records"))
    entry = store.get(content_key("run", config)) or compute()

A damaged entry is never served. In the cache it is logged and counts as missing, so that it is
computed again; in the bundle it is missing too, and ``damaged()`` says how to restore it.
"""

import contextlib
import logging
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pru_demo.store.bundle import Bundle, write_bundle
from pru_demo.store.entry import SCHEMA, DamagedEntry, Entry, content_key, decode, encode
from pru_demo.store.upkeep import SizeLimit

if TYPE_CHECKING:
    from pru_demo.store.local_entries import LocalEntries

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

# In the header of what lies above a bundled entry that counts no longer.
_WITHDRAWN = "withdrawn"


class StoreUnavailable(OSError):
    """The folder cannot hold the store; the message is a sentence for the operator."""


class Store:
    """Entries by key, from the cache in ``directory`` first, then from the ``bundled`` folder.

    ``notice`` is a sentence for the user if the store is not what was asked for, else None.
    Threads and processes may share one directory. Raises StoreUnavailable if the directory cannot
    be used, ModuleNotFoundError if diskcache is not installed.
    """

    def __init__(self, directory: Path, bundled: Path | None = None) -> None:
        self.directory = directory
        self._bundle = None if bundled is None else Bundle(bundled)
        self._size = SizeLimit()
        self.notice: str | None = self._size.notice
        self._opened = self._open()

    @property
    def cache(self) -> "LocalEntries":
        """The writable layer, for its upkeep; opened anew if somebody has removed its folder."""
        if self._opened.is_gone():
            _log.warning("The result store in %s is gone; a new one is made.", self.directory)
            self._opened = self._open()
        return self._opened

    def get(self, key: str) -> Entry | None:
        """The entry of ``key``, or None if there is none that is whole."""
        entry = None
        with self._missing_if_unreadable(key):
            entry = self.cache.get(key)
        if entry is None and self._bundle is not None:
            entry = self._bundle.get(key)
        return None if entry is None or _WITHDRAWN in entry.meta else entry

    def meta(self, key: str) -> dict[str, Any] | None:
        """The header of ``get(key)``, which is read without the arrays."""
        meta = None
        with self._missing_if_unreadable(key):
            meta = self.cache.meta(key)
        if meta is None and self._bundle is not None:
            meta = self._bundle.meta(key)
        return None if meta is None or _WITHDRAWN in meta else meta

    def put(self, key: str, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep an entry, replacing an older one; it is whole on disk when this returns.

        Raises what ``encode`` raises, and StoreUnavailable if the disk does not take it.
        """
        data = encode(meta, arrays, key)
        with self.refusing("does not accept a result", "What was stored before is still there."):
            self.cache.put(key, data)
        try:
            self._size.enforce(self.cache, key)
        except OSError as error:  # the result is stored: that is what counts
            _log.warning("Old results in %s cannot be removed: %s", self.directory, _reason(error))

    def keys(self, prefix: str = "") -> list[str]:
        """All keys of both layers that start with ``prefix``, sorted."""
        keys = {*self.cache.index.keys(), *([] if self._bundle is None else self._bundle.keys())}
        return sorted(key for key in keys if key.startswith(prefix))

    def delete(self, key: str) -> None:
        """Forget the entry in the cache, if there is one; bundled records stay."""
        with self.refusing("does not forget a result"):
            self.cache.delete(key)

    def withdraw(self, key: str) -> None:
        """Let there be no entry of ``key``, not even a bundled one, until it is put or deleted."""
        if self._bundle is None or self._bundle.meta(key) is None:
            self.delete(key)
        else:
            self.put(key, {_WITHDRAWN: True}, {})

    def damaged(self) -> list[str]:
        """A sentence for each damaged bundled record met so far."""
        return [] if self._bundle is None else self._bundle.damaged()

    def close(self) -> None:
        """Close this thread's connection; the store opens a new one if it is used again."""
        self._opened.index.close()

    @contextlib.contextmanager
    def refusing(self, what: str, then: str = "") -> Iterator[None]:
        """Turn what the disk or SQLite says into StoreUnavailable; ``what`` follows the folder."""
        try:
            yield
        except StoreUnavailable:
            raise
        except OSError as error:
            sentence = f"The result store in {self.directory} {what}: {_reason(error)}. {then}"
            raise StoreUnavailable(sentence.rstrip()) from error

    def _open(self) -> "LocalEntries":
        try:
            from pru_demo.store.local_entries import LocalEntries
        except ModuleNotFoundError as error:
            if error.name != "diskcache":
                raise
            sentence = "The result store needs diskcache; install it with: pip install diskcache"
            raise ModuleNotFoundError(sentence, name="diskcache") from error
        try:
            return LocalEntries(self.directory)
        except OSError as error:
            raise StoreUnavailable(
                f"The folder {self.directory} cannot hold the result store: {_reason(error)}. "
                "Set PRU_STORE_DIR to another folder."
            ) from error

    @contextlib.contextmanager
    def _missing_if_unreadable(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            _log.warning("Stored entry %s cannot be read (%s).", key, error)


def _reason(error: Exception) -> str:
    """Without the number and the path that an OSError puts around its words."""
    return str(getattr(error, "strerror", None) or error)


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
