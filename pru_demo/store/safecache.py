"""diskcache.Cache with what it lacks: errors that end, reading without a trace, removal by age."""

import contextlib
import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import diskcache

from pru_demo.store.entry import Entry
from pru_demo.store.lock import UseLock


@dataclass(frozen=True)
class Row:
    """One entry as the index knows it. ``used``: last read or written, seconds since 1970."""

    rowid: int
    key: str
    size: int
    used: float


class SafeCache(diskcache.Cache):  # type: ignore[misc]  # noqa: TID251  # its Disk is ours
    """Made by ``safedisk.open_cache`` only. ``lock`` is held as long as this object lives."""

    lock: UseLock

    @contextlib.contextmanager
    def _transact(
        self, retry: bool = False, filename: str | None = None
    ) -> Iterator[tuple[Callable[..., Any], Callable[[str | None], None]]]:
        """A write transaction. Raises OSError with SQLite's words where it or its commit fails.

        ``retry`` is not passed on: SQLite itself waits 30 seconds for another writer, but what
        diskcache calls retrying goes on for ever, at full load, on whatever error it is. And it
        forgets ``filename``, just written for the row, where the row could not be written.
        """
        try:
            with super()._transact(False, filename) as transaction:
                yield transaction
        except (sqlite3.Error, diskcache.Timeout) as error:
            if filename is not None:
                self._disk.remove(filename)
            self.close()  # the connection may still be within the transaction that failed
            raise OSError(str(error) or str(error.__context__)) from error

    def look(self, key: str) -> Entry | None:
        """The entry of ``key`` without noting its use, which would have to be written down.

        None if there is none or it is not whole.
        """
        columns = "SELECT mode, filename, value FROM Cache WHERE key = ? AND raw = 1"
        for row in self._sql(columns, (key,)).fetchall():
            with contextlib.suppress(OSError):
                entry: Entry = self._disk.fetch(*row, False)
                return entry
        return None

    def rows(self, before: float = math.inf) -> list[Row]:
        """All entries last used before then, least recently used first."""
        query = (
            "SELECT rowid, key, raw, size, access_time FROM Cache"
            " WHERE access_time < ? ORDER BY access_time"
        )
        found = self._sql(query, (before,)).fetchall()
        return [Row(row[0], self._disk.get(row[1], row[2]), row[3], row[4]) for row in found]

    def remove(self, rows: Iterable[Row], before: float = math.inf) -> list[Row]:
        """Remove those of ``rows`` that nobody has used since; returns what was removed."""
        query = "SELECT filename FROM Cache WHERE rowid = ? AND access_time < ?"
        removed = []
        with self._transact() as (sql, cleanup):
            for row in rows:
                for (filename,) in sql(query, (row.rowid, before)).fetchall():
                    sql("DELETE FROM Cache WHERE rowid = ?", (row.rowid,))
                    cleanup(filename)
                    removed.append(row)
        return removed

    def damage(self, row: Row, *, remove: bool = False) -> str | None:
        """What is wrong with an entry, None if it is whole or gone; damaged, it can be removed."""
        query = "SELECT mode, filename, value FROM Cache WHERE rowid = ?"
        # Within a transaction, so that nobody replaces the file between its row and reading it.
        with self._transact() as (sql, cleanup):
            for mode, filename, value in sql(query, (row.rowid,)).fetchall():
                try:
                    self._disk.fetch(mode, filename, value, False)
                    self._disk.put(row.key)
                except (OSError, TypeError) as error:
                    if remove:
                        sql("DELETE FROM Cache WHERE rowid = ?", (row.rowid,))
                        cleanup(filename)
                    return getattr(error, "strerror", None) or str(error)
        return None

    def index_damage(self) -> str | None:
        """What SQLite finds wrong with its file, None if it is whole."""
        ((finding, *_), *_) = self._sql("PRAGMA integrity_check(1)").fetchall()
        return None if finding == "ok" else str(finding)

    def orphans(self) -> list[tuple[str, int]]:
        """Name and bytes of each file that no row names; see ``runs.storelock`` on what it is."""
        # Files before rows: what is written between the two looks is not taken for an orphan.
        files = self._disk.files()
        named = self._sql("SELECT filename FROM Cache WHERE filename IS NOT NULL").fetchall()
        known = {name for (name,) in named}
        return [(name, size) for name, size in files if name not in known]

    def remove_orphans(self) -> None:
        """Delete the files that no row names. Only while nobody else has the cache open."""
        for name, _ in self.orphans():
            self._disk.remove(name)
