"""How large the store may grow, what has to go then, and what never goes.

Whatever was read or written in the last twelve hours stays, even if the store grows beyond its
limit: a page reads what it shows each time it draws, and a job what it starts from. A use that
lies in the future, because the clock was set back since, is a use of just now.
"""

import logging
import math
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pru_demo.store.entry import SCHEMA

if TYPE_CHECKING:  # importing it takes diskcache, which who opens a store asks for in his own way
    from pru_demo.store.index import Row
    from pru_demo.store.local_entries import LocalEntries

SIZE_LIMIT_BYTES = 2 * 10**9
IN_USE_SECONDS = 12 * 3600.0
PARTIAL_SECONDS = 7 * 24 * 3600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """What the store holds of one kind: times of use in seconds since 1970."""

    kind: str
    entries: int
    bytes: int
    oldest_use: float
    newest_use: float


def size_limit() -> int:
    """Bytes that the store may take: ``PRU_STORE_GB`` times 10⁹, or 2·10⁹.

    Raises ValueError with a sentence if the variable is no positive number.
    """
    text = os.environ.get("PRU_STORE_GB", "")
    if not text:
        return SIZE_LIMIT_BYTES
    try:
        limit = float(text) * 1e9
    except ValueError:
        limit = math.nan
    if not 0 < limit < math.inf:
        raise ValueError(f"PRU_STORE_GB is {text!r}; it must be a positive number of gigabytes.")
    return round(limit)


def kind_of(key: str) -> str:
    """``run`` for ``v1:run:…``; contents of another version of the program say which."""
    version, _, rest = key.partition(":")
    kind, _, digest = rest.partition(":")
    if not kind or not digest:
        return "unknown"
    return kind if version == f"v{SCHEMA}" else f"{kind} ({version})"


def kinds(rows: Iterable["Row"]) -> list[Kind]:
    """Entries, bytes and times of use by kind, in alphabetical order."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(kind_of(row.key), []).append(row)
    return [
        Kind(
            kind,
            len(group),
            sum(row.size for row in group),
            min(row.used for row in group),
            max(row.used for row in group),
        )
        for kind, group in sorted(groups.items())
    ]


def make_room(cache: "LocalEntries", limit: int, keep: str = "") -> list["Row"]:
    """Remove what was not used for longest until the cache takes at most ``limit`` bytes.

    Never what is in use, nor the entry ``keep``: the cache may still be too large afterwards.
    """
    excess = cache.index.volume() - limit
    if excess <= 0:
        return []
    before = time.time() - IN_USE_SECONDS
    chosen = []
    for row in cache.index.rows(before):
        if excess > 0 and row.key != keep:
            chosen.append(row)
            excess -= row.size
    return cache.remove(chosen)


class SizeLimit:
    """Keeps a cache within ``size_limit()``; ``notice`` is a sentence if that is no number."""

    def __init__(self) -> None:
        self.notice: str | None = None
        self._limit: int | None = None
        self._warned = False
        try:
            self._limit = size_limit()
        except ValueError as error:
            # Not the usual limit instead: that might be less than what was meant, and remove much.
            self.notice = f"{error} Until then, the result store grows without limit."
            _log.warning(self.notice)

    def enforce(self, cache: "LocalEntries", written: str) -> None:
        """Make room after ``written`` was; warn once if there is not enough that may go."""
        if self._limit is None:
            return
        make_room(cache, self._limit, written)
        over = cache.index.volume() - self._limit
        if over > 0 and not self._warned:
            _log.warning(
                "The result store in %s is %.1f MB above its limit (PRU_STORE_GB), but all that is "
                "left was used in the last 12 hours, so nothing more is removed.",
                cache.directory,
                over / 1e6,
            )
        self._warned = over > 0


def prune(cache: "LocalEntries", limit: int) -> list["Row"]:
    """Remove partial results of a week ago, what another version wrote, then make room."""
    now, rows = time.time(), cache.index.rows
    current, partial = f"v{SCHEMA}:", f"v{SCHEMA}:partial:"
    stale = [row for row in rows(now - PARTIAL_SECONDS) if row.key.startswith(partial)]
    foreign = [row for row in rows(now - IN_USE_SECONDS) if not row.key.startswith(current)]
    removed = cache.remove([*stale, *foreign])
    return removed + make_room(cache, limit)
