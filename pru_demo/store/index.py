"""Which file holds the entry of a key, how large it is and when it was last used: diskcache.

diskcache's stock Disk unpickles what a row of its database tells it to (CVE-2025-69872, unfixed),
and its JSONDisk still does when a row says ``mode=4`` or ``raw=0``. Its file names are trusted,
too: ``../victim`` is read, and deleted on eviction. Hence every method of Disk that meets the
database or the files is replaced here, and refuses all that this module has not written itself.

The Disk class is not recorded in the database, so that it must never be opened in another way.
"""

import contextlib
import math
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import diskcache
from diskcache.core import DBNAME, MODE_RAW, UNKNOWN

from pru_demo.store.entry import DamagedEntry

INDEX_FILE = str(DBNAME)
TIMEOUT_SECONDS = 30.0
"""For how long SQLite waits for another writer."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_KEY_LENGTH = 512


class Stored(NamedTuple):
    """What the index keeps for a key: SHA-256 of the entry's file, and its size in bytes."""

    digest: str
    size: int


class ForeignKey(str):
    """The key of a row that we did not write: it reads as "", and the row can be removed by it."""

    columns: tuple[object, object]


class Row(NamedTuple):
    """One entry as the index knows it. ``used``: last read or written, seconds since 1970."""

    key: str
    size: int
    used: float


class DigestDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache ships no types
    """Keys are short strings, values are ``Stored``; rows name no files. All else is refused."""

    def put(self, key: object) -> tuple[object, object]:
        """``key`` as database columns. Raises TypeError for all but 1 to 512 characters."""
        if type(key) is ForeignKey:
            return key.columns
        if type(key) is not str or not 0 < len(key) <= _MAX_KEY_LENGTH:
            raise TypeError(f"A store key is a string of 1 to {_MAX_KEY_LENGTH} characters.")
        return key, True

    def get(self, key: object, raw: object) -> str:
        """Database columns as key; a ForeignKey where the stock Disk would unpickle."""
        if raw == 1 and type(key) is str and 0 < len(key) <= _MAX_KEY_LENGTH:
            return key
        foreign = ForeignKey()
        foreign.columns = key, raw
        return foreign

    def store(self, value: object, read: bool, key: object = UNKNOWN) -> tuple[int, int, None, str]:
        """``value`` as diskcache's (bytes, mode, file name, inline value)."""
        if read or type(value) is not Stored:
            raise TypeError("The index keeps digests, neither values nor file handles.")
        return value.size, MODE_RAW, None, value.digest

    def fetch(self, mode: object, filename: object, value: object, read: bool) -> str:
        """The digest of a row. Raises DamagedEntry, an OSError: diskcache makes it a miss."""
        if read:
            raise TypeError("The index keeps digests, neither values nor file handles.")
        if filename is not None:
            raise DamagedEntry(f"file name {filename!r} is refused")
        if mode != MODE_RAW or type(value) is not str or not _DIGEST.fullmatch(value):
            raise DamagedEntry(f"storage mode {mode!r} is refused")
        return value

    def remove(self, file_path: object) -> None:
        """Nothing: where a row names a file, it was planted."""


class Index:
    """diskcache's database in ``file``. All methods raise OSError with SQLite's words."""

    def __init__(self, file: Path) -> None:
        self._address = f"{file.as_uri()}?mode=ro"
        with _as_os_error():
            self._cache = diskcache.Cache(  # noqa: TID251  # its Disk is ours
                str(file.parent),
                disk=DigestDisk,
                timeout=TIMEOUT_SECONDS,
                # diskcache evicts whatever was not used for longest, be it a minute: see upkeep.
                cull_limit=0,
                eviction_policy="least-recently-used",  # notes the time of every use
                sqlite_synchronous=1,
            )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Nobody else writes meanwhile; all that is written is there afterwards, or nothing is.

        Without diskcache's ``retry``: SQLite itself waits for another writer, but what diskcache
        calls retrying goes on for ever, at full load, on whatever error it is.
        """
        try:
            with _as_os_error(), self._cache.transact():
                yield
        except OSError:
            self.close()  # the connection may still be within the transaction that failed
            raise

    def use(self, key: str) -> str | None:
        """The digest of ``key``, noting its use; None if there is none.

        Raises DamagedEntry for a row that we have not written.
        """
        with _as_os_error():
            if key not in self._cache:
                return None
        with contextlib.suppress(OSError), self.transaction():
            if (digest := self._cache.get(key)) is not None:
                return str(digest)
        # Its use cannot be noted, on a full disk for example, or somebody has planted the row.
        return self.look(key)

    def look(self, key: str) -> str | None:
        """As ``use``, without noting it, which would have to be written down."""
        query = "SELECT mode, filename, value FROM Cache WHERE key = ? AND raw = ?"
        for columns in self._read(query, *self._cache.disk.put(key)):
            return str(self._cache.disk.fetch(*columns, read=False))
        return None

    def put(self, key: str, stored: Stored) -> str | None:
        """Within a transaction: ``key`` stands for ``stored``. Returns what it did before."""
        with _as_os_error():
            before: str | None = self._cache.get(key)
            self._cache.set(key, stored)
        return before

    def remove(self, key: str) -> str | None:
        """Within a transaction: forget ``key``. Returns the digest that it stood for, if any."""
        with _as_os_error():
            before: str | None = self._cache.get(key)
            self._cache.delete(key)
        return before

    def rows(self, before: float = math.inf) -> list[Row]:
        """All entries last used before then, least recently used first."""
        # No method of diskcache tells size and last use: its table does, which has never changed.
        query = (
            "SELECT key, raw, size, access_time FROM Cache"
            " WHERE access_time < ? ORDER BY access_time"
        )
        return [
            Row(self._cache.disk.get(key, raw), size, used)
            for key, raw, size, used in self._read(query, before)
        ]

    def digests(self) -> set[str]:
        """All that rows name."""
        return {value for (value,) in self._read("SELECT value FROM Cache")}

    def keys(self) -> list[str]:
        with _as_os_error():
            return [key for key in self._cache if key]

    def volume(self) -> int:
        """Bytes of all entries and of the index."""
        with _as_os_error():
            return int(self._cache.volume())

    def damage(self) -> str | None:
        """What SQLite finds wrong with its file, None if it is whole."""
        ((finding, *_), *_) = self._read("PRAGMA integrity_check(1)")
        return None if finding == "ok" else str(finding)

    def close(self) -> None:
        """Close this thread's connection; the next use opens another."""
        self._cache.close()

    def _read(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with _as_os_error():
            database = sqlite3.connect(self._address, timeout=TIMEOUT_SECONDS, uri=True)
            with contextlib.closing(database):
                return database.execute(query, parameters).fetchall()


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, diskcache.Timeout) as error:
        # A Timeout says nothing itself.
        raise OSError(str(error) or str(error.__context__)) from error
