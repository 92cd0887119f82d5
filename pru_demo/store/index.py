"""diskcache without pickle: whoever can write the cache folder cannot run code or reach out of it.

diskcache's stock Disk unpickles what a row of its database tells it to (CVE-2025-69872, unfixed),
and its JSONDisk still does when a row says ``mode=4`` or ``raw=0``. Its file names are trusted,
too: ``../victim`` is read, and deleted on eviction. Hence every method that meets the database or
the disk is replaced here, and refuses all that this module would not have written itself.

The Disk class is not recorded in the cache, so the folder must never be opened in another way.
"""

import contextlib
import os
import re
import sqlite3
import stat
from pathlib import Path

import diskcache
from diskcache.core import DBNAME, MODE_BINARY, MODE_RAW, UNKNOWN

from pru_demo.store.entry import MAX_BYTES, DamagedEntry, Entry, decode, encode
from pru_demo.store.lock import UseLock
from pru_demo.store.safecache import SafeCache

REFUSED_KEY = ""
"""What iteration yields for a row whose key we did not write; ``put`` accepts no empty key."""

_FILE_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\.val")
_MAX_KEY_LENGTH = 512
_STORE_TRIES = 20


class SafeDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache ships no types
    """Keys are short strings, values are ``Entry``; everything else is refused."""

    def put(self, key: object) -> tuple[str, bool]:
        """``key`` as database column. Raises TypeError for all but strings of 1–512 characters."""
        if type(key) is not str or not 0 < len(key) <= _MAX_KEY_LENGTH:
            raise TypeError(f"A cache key is a string of 1 to {_MAX_KEY_LENGTH} characters.")
        return key, True

    def get(self, key: object, raw: object) -> str:
        """Database column as key; ``REFUSED_KEY`` where the stock Disk would unpickle."""
        return key if raw and type(key) is str else REFUSED_KEY

    def store(
        self, value: Entry, read: bool, key: object = UNKNOWN
    ) -> tuple[int, int, str | None, sqlite3.Binary | None]:
        """Write ``value``; returns diskcache's (bytes, mode, file name, inline value).

        Raises TypeError for a file handle and all that ``encode`` raises.
        """
        if read:
            raise TypeError("The cache stores entries, not file handles.")
        data = encode(value.meta, value.arrays)
        if len(data) < self.min_file_size:
            return len(data), MODE_RAW, None, sqlite3.Binary(data)
        # A new name for every write, on the disk before its row is committed: nobody sees the file
        # earlier, and an older file is removed only then. That is what writing to a temporary name
        # and renaming is for, with the commit in the place of the rename.
        name, path = self.filename(key, value)
        try:
            with os.fdopen(_create(Path(path)), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:  # no row will ever name what is there of the file
            self.remove(name)
            raise
        return len(data), MODE_BINARY, name.replace(os.sep, "/"), None

    def fetch(self, mode: object, filename: object, value: object, read: bool) -> Entry:
        """The value of a row. Raises DamagedEntry, which diskcache turns into a miss."""
        if read:
            raise TypeError("The cache serves entries, not file handles.")
        if mode == MODE_RAW and isinstance(value, bytes):
            return decode(value)
        if mode == MODE_BINARY:
            return decode(_read(self._path_of(filename)))
        raise DamagedEntry(f"storage mode {mode!r} is refused")

    def remove(self, file_path: object) -> None:
        """Delete the file of a row, if it is one that ``store`` could have written."""
        with contextlib.suppress(DamagedEntry):
            self._path_of(file_path)
            super().remove(file_path)

    def files(self) -> list[tuple[str, int]]:
        """Name and bytes of all files that ``store`` could have written."""
        found = []
        for path in Path(self._directory).glob("??/??/*.val"):
            name = path.relative_to(self._directory).as_posix()
            with contextlib.suppress(OSError):  # not one of ours, or gone meanwhile
                found.append((name, self._path_of(name).lstat().st_size))
        return found

    def _path_of(self, filename: object) -> Path:
        if not isinstance(filename, str) or not _FILE_NAME.fullmatch(filename):
            raise DamagedEntry(f"file name {filename!r} is refused")
        path = Path(self._directory, filename)
        if path.parent.resolve() != path.parent:  # open_cache gave us a resolved directory
            raise DamagedEntry(f"{path.parent} is a link")
        return path


def open_cache(directory: Path) -> SafeCache:
    """The cache in ``directory``, created for this user alone if it does not exist.

    What killed processes have left there is removed if nobody else has it open. Raises
    PermissionError if the folder is a link, belongs to somebody else or can be written by others,
    OSError if it cannot be created, and sqlite3.Error if its database cannot be used.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.lstat()
    if stat.S_ISLNK(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise PermissionError("it must be a real folder that only this user owns and can write")
    # SQLite would create the database readable by all; its side files copy the mode of this one.
    (directory / DBNAME).touch(mode=0o600)
    lock = UseLock(directory)
    try:
        cache = SafeCache(
            str(directory.resolve()),
            disk=SafeDisk,
            timeout=30,
            # diskcache evicts whatever was not used for longest, be it a minute: see runs.upkeep.
            cull_limit=0,
            eviction_policy="least-recently-used",  # notes the time of every use
            disk_min_file_size=32 * 1024,
            sqlite_synchronous=1,
        )
        cache.lock = lock
        if lock.alone:
            # Not diskcache's check(fix=True): that follows planted file names, and removes every
            # file that it does not know.
            cache.remove_orphans()
    finally:
        lock.share()
    return cache


def _create(path: Path) -> int:
    """A new file opened for writing. Another process may remove the still empty folder."""
    for _ in range(_STORE_TRIES):
        with contextlib.suppress(FileNotFoundError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    raise FileNotFoundError(f"The folder {path.parent} disappears as often as it is made.")


def _read(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise DamagedEntry("file is too large")
        return file.read()
