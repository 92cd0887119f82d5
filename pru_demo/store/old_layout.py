"""Reads what versions up to schema 2 have stored, so that it moves instead of being computed again.

Theirs was a diskcache folder: ``cache.db`` with entries in its rows, or in files that rows name:
``ab/cd/….val``. It may lie in the folder of today's store, which touches none of these names. An
entry was a file format of our own:

    magic | sha256 of (lengths … meta) | sha256 of body, lengths | meta: JSON | body: safetensors

As today, nothing is unpickled, and no name or link in it is followed out of the folder.
"""

import contextlib
import hashlib
import json
import logging
import re
import sqlite3
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pru_demo.store.entry import MAX_META_BYTES, DamagedEntry, Entry, open_bounded

_INDEX = "cache.db"
_FILE_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\.val")
_RAW, _FILE = 1, 2  # diskcache's modes: the value stands in the row, or in the file it names
_PROLOGUE = struct.Struct("<4s32s")  # magic, digest of all that follows up to the body
_LENGTHS = struct.Struct("<32sIQ")  # digest of the body, bytes of meta, bytes of body

_log = logging.getLogger(__name__)


def old_entries(directory: Path, beginning: str = "") -> Iterator[tuple[str, Entry]]:
    """Key and content of each whole entry whose key begins so, in the order of their first writing.

    What is damaged is logged and left out. Entries may be removed while this runs.
    """
    with _index(directory, "ro") as database:
        query = (
            "SELECT key, mode, filename, value FROM Cache"
            " WHERE raw = 1 AND substr(key, 1, ?) = ? ORDER BY rowid"
        )
        for key, mode, filename, value in database.execute(query, (len(beginning), beginning)):
            try:
                if not isinstance(key, str):
                    raise DamagedEntry("its key is no text")
                if mode == _RAW and isinstance(value, bytes):
                    entry = decode_old(value)
                elif mode == _FILE:
                    with open_bounded(_path(directory, filename)) as file:
                        entry = decode_old(file.read())
                else:
                    raise DamagedEntry(f"storage mode {mode!r} is refused")
            except OSError as error:
                reason = error.strerror or str(error)
                _log.warning("Stored entry %s of an older version is left out: %s", key, reason)
                continue
            yield key, entry


def remove_old(directory: Path, keys: Iterable[str] | None = None) -> None:
    """Remove the entries of these keys, or all that is left, what is damaged included.

    With the last row, the index goes, too, and files that no row names. Raises OSError if the
    index cannot be written.
    """
    with _index(directory, "rw") as database:
        database.execute("BEGIN IMMEDIATE")
        if keys is None:
            removed = database.execute("DELETE FROM Cache RETURNING filename").fetchall()
        else:
            query = "DELETE FROM Cache WHERE key = ? AND raw = 1 RETURNING filename"
            removed = [row for key in keys for row in database.execute(query, (key,)).fetchall()]
        ((left,),) = database.execute("SELECT COUNT(*) FROM Cache").fetchall()
        database.execute("COMMIT")
        names = {name for (name,) in removed if name is not None}
        if not left:
            names.update(p.relative_to(directory).as_posix() for p in directory.glob("??/??/*.val"))
            for file in (_INDEX, f"{_INDEX}-wal", f"{_INDEX}-shm"):
                (directory / file).unlink(missing_ok=True)
    for name in names:
        with contextlib.suppress(OSError):  # not one of ours, or folders with something else in
            path = _path(directory, name)
            path.unlink(missing_ok=True)
            path.parent.rmdir()
            path.parent.parent.rmdir()


def decode_old(data: bytes) -> Entry:
    """The entry in bytes of the old format. Raises DamagedEntry unless all is as it was written."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    start = _PROLOGUE.size + _LENGTHS.size
    if len(data) < start or not data.startswith(b"PRU1"):
        raise DamagedEntry("not a record of an older version")
    _, digest = _PROLOGUE.unpack_from(data)
    body_digest, meta_length, body_length = _LENGTHS.unpack_from(data, _PROLOGUE.size)
    head, body = data[start : start + meta_length], data[start + meta_length :]
    if (
        meta_length > MAX_META_BYTES
        or hashlib.sha256(data[_PROLOGUE.size : start] + head).digest() != digest
        or len(body) != body_length
        or hashlib.sha256(body).digest() != body_digest
    ):
        raise DamagedEntry("checksum differs")
    try:
        meta, arrays = json.loads(head), load(body)
    except (SafetensorError, LookupError, ValueError, RecursionError) as error:
        raise DamagedEntry("not a record of an older version") from error
    if not isinstance(meta, dict):
        raise DamagedEntry("header is not a JSON object")
    return Entry(meta, arrays)


@contextlib.contextmanager
def _index(directory: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """The old index; an empty one in memory where there is none. Raises OSError for a bad one."""
    file = directory / _INDEX
    try:
        if file.is_file() and not file.is_symlink():
            database = sqlite3.connect(
                f"{file.resolve().as_uri()}?mode={mode}", uri=True, timeout=30, isolation_level=None
            )
        else:
            database = sqlite3.connect(":memory:", isolation_level=None)
            database.execute("CREATE TABLE Cache (key, raw, mode, filename, value)")
        with contextlib.closing(database):
            yield database
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


def _path(directory: Path, filename: Any) -> Path:
    if not isinstance(filename, str) or not _FILE_NAME.fullmatch(filename):
        raise DamagedEntry(f"file name {filename!r} is refused")
    path = directory.resolve() / filename
    if path.parent.resolve() != path.parent:
        raise DamagedEntry(f"{path.parent} is a link")
    return path
