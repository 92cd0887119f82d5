"""The writable layer of the store: entries as files under their digest, and an index of them.

    store.lock                       who has the store open
    index/cache.db                   key -> digest, size, last use
    entries/ab/ab01….safetensors     the file whose SHA-256 is ab01…

An entry is written under a temporary name, is on the disk, and then gets its own name within the
transaction that writes its row; the file that it replaces goes after the commit. So a reader finds
the old or the new entry, never a mix, and a process that is killed leaves at most a file that no
row names. Such files go when somebody opens the store alone.
"""

import contextlib
import hashlib
import logging
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from pru_demo.store.entry import MAX_BYTES, DamagedEntry, Entry, decode, read_meta
from pru_demo.store.index import INDEX_FILE, Index, Row, Stored
from pru_demo.store.lock import UseLock

KEPT = "index-was-lost"
"""A file that says: the index was made anew beside entries, so a file without a row is no waste."""

_SUFFIX = ".safetensors"
_NAME = re.compile(r"([0-9a-f]{64})(\.safetensors|\.[0-9a-f]{16}\.tmp)")

_log = logging.getLogger(__name__)
_Read = TypeVar("_Read")


class LocalEntries:
    """The entries in ``directory``, which is created for this user alone if it does not exist.

    Raises PermissionError if the folder is a link, belongs to somebody else or can be written by
    others, OSError if it cannot be created or its index cannot be used. All methods raise OSError
    where the disk or the ``index`` fails.
    """

    def __init__(self, directory: Path) -> None:
        for folder in (directory, directory / "index", directory / "entries"):
            _make_private(folder)
        self.directory = directory.resolve()
        self._entries = self.directory / "entries"
        self._lock = UseLock(directory)  # held as long as this object lives
        try:
            self._index_file = self.directory / "index" / INDEX_FILE
            if not self._index_file.exists() and any(self._files()):
                (self.directory / KEPT).touch(mode=0o600)
            # SQLite would create it readable by all; its side files copy the mode of this one.
            self._index_file.touch(mode=0o600)
            self.index = Index(self._index_file)
            self._identity = self._identify()
            if self._lock.alone:
                self._tidy()
        finally:
            self._lock.share()

    def get(self, key: str) -> Entry | None:
        """The entry of ``key``, noting its use; None if there is none that is whole."""
        return self._serve(key, lambda file: decode(file.read(), key))

    def meta(self, key: str) -> dict[str, Any] | None:
        """The header of ``get(key)``, likewise; the arrays are neither read nor checked."""
        return self._serve(key, lambda file: read_meta(file, key))

    def put(self, key: str, data: bytes) -> None:
        """Keep what ``encode`` made for ``key``; it is on the disk when this returns."""
        stored = Stored(hashlib.sha256(data).hexdigest(), len(data))
        temporary = self._path(stored.digest, f".{secrets.token_hex(8)}.tmp")
        try:
            _write(temporary, data)
            with self.index.transaction():
                before = self.index.put(key, stored)
                # Within the transaction: see _drop.
                temporary.replace(self._path(stored.digest))
        except BaseException:  # no row names what is there of the file
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
                self._drop([(key, stored.digest)])
            raise
        self._drop([(key, before)])

    def delete(self, key: str) -> None:
        """Forget the entry of ``key``, if there is one."""
        with self.index.transaction():
            before = self.index.remove(key)
        self._drop([(key, before)])

    def remove(self, rows: Iterable[Row]) -> list[Row]:
        """Remove those of ``rows`` that nobody has used since; returns what was removed."""
        with self.index.transaction():
            unused = set(self.index.rows())
            removed = [row for row in rows if row in unused]
            files = [(row.key, self.index.remove(row.key)) for row in removed]
        self._drop(files)
        return removed

    def clear(self) -> None:
        """Remove all entries, also those in use, and rows that are not ours."""
        with self.index.transaction():
            files = [(row.key, self.index.remove(row.key)) for row in self.index.rows()]
        self._drop(files)

    def damage(self, row: Row, *, remove: bool = False) -> str | None:
        """What is wrong with an entry, None if it is whole or gone; damaged, it can be removed."""
        # Within a transaction, so that nobody replaces the file between its row and reading it.
        with self.index.transaction():
            try:
                if (digest := self.index.look(row.key)) is None:
                    return None
                with self._open(digest) as file:
                    data = file.read()
                decode(data, row.key)
                if hashlib.sha256(data).hexdigest() != digest:
                    raise DamagedEntry("it is another one than the index says")
                return None
            except OSError as error:
                before = self.index.remove(row.key) if remove else None
                reason = error.strerror or str(error)
        self._drop([(row.key, before)])
        return reason

    def is_gone(self) -> bool:
        """Whether somebody has removed the folder: what is written into a deleted index is lost."""
        return self._identify() != self._identity

    def orphans(self) -> list[tuple[Path, int]]:
        """Each file that no row names, and its bytes; see ``lock`` on what it is."""
        # Files before rows: what is written between the two looks is not taken for an orphan.
        files = list(self._files())
        named = self.index.digests()
        return [(path, size) for path, size in files if path.stem not in named]

    def _identify(self) -> tuple[int, int] | None:
        with contextlib.suppress(OSError):
            status = self._index_file.stat()
            return status.st_dev, status.st_ino
        return None

    def _serve(self, key: str, read: Callable[[BinaryIO], _Read]) -> _Read | None:
        with contextlib.suppress(DamagedEntry, FileNotFoundError):
            if (digest := self.index.use(key)) is None:
                return None
            with contextlib.suppress(FileNotFoundError), self._open(digest) as file:
                return read(file)
            # Somebody has replaced or removed it since: once more, while nobody can.
            with self.index.transaction():
                if (digest := self.index.look(key)) is None:
                    return None
                with self._open(digest) as file:
                    return read(file)
        _log.warning("Stored entry %s is damaged; it will be computed again.", key)
        return None

    def _drop(self, files: Iterable[tuple[str, str | None]]) -> None:
        """Remove the file of each key and digest, unless the key stands for that digest again.

        That is why a file gets its name within a transaction: whoever writes the same content
        once more has either named it in its row by now, or is going to make the file anew.
        """
        wanted = [(key, digest) for key, digest in files if digest is not None]
        if not wanted:
            return
        # What cannot be removed now is removed by who opens the store alone.
        with contextlib.suppress(OSError), self.index.transaction():
            for key, digest in wanted:
                if self.index.look(key) != digest:
                    self._path(digest).unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Remove the files that no row names. Only while nobody else has the store open.

        Not what diskcache offers for it: that removes every file that it does not know.
        """
        orphans = [path for path, _ in self.orphans()]
        entries = [path for path in orphans if path.suffix == _SUFFIX]
        marker = self.directory / KEPT
        if entries and (marker.exists() or not self.index.keys()):
            _log.warning(
                "The index of the result store in %s was made anew; entries that it does not know "
                "(%d) are kept in %s.",
                self.directory, len(entries), self._entries,
            )  # fmt: skip
            orphans = [path for path in orphans if path.suffix != _SUFFIX]
        for path in orphans:
            path.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[Path, int]]:
        """All files that ``put`` could have written, with their bytes."""
        for path in self._entries.glob("??/*"):
            if named := _NAME.fullmatch(path.name):
                with contextlib.suppress(OSError):  # not one of ours, or gone meanwhile
                    if path == self._path(*named.groups()):
                        yield path, path.lstat().st_size

    def _path(self, digest: str, suffix: str = _SUFFIX) -> Path:
        folder = self._entries / digest[:2]
        if self._entries.is_symlink() or folder.is_symlink():
            raise DamagedEntry(f"{folder} is a link")
        return folder / (digest + suffix)

    def _open(self, digest: str) -> BinaryIO:
        file = os.fdopen(os.open(self._path(digest), os.O_RDONLY | os.O_NOFOLLOW), "rb")
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            file.close()
            raise DamagedEntry("file is too large")
        return file


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise PermissionError("it must be a real folder that only this user owns and can write")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
