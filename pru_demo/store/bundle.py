"""The records that ship with the program: a folder of files and a manifest with their hashes.

It is the read-only lower layer of the store. A file that is not what the manifest says is never
served; the sentence in ``Bundle.damaged`` tells how to restore it.
"""

import contextlib
import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pru_demo.files import replace_file
from pru_demo.store.entry import DamagedEntry, Entry, decode, encode, read_meta

MANIFEST = "manifest.json"
MANIFEST_SCHEMA = 1

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Listed:
    """One line of the manifest."""

    file: str
    sha256: str
    bytes: int


class Bundle:
    """Reads a folder that ``write_bundle`` wrote; a folder without manifest is an empty bundle."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._damage: dict[str, str] = {}  # file name -> sentence

    def keys(self) -> list[str]:
        return list(self._manifest)

    def size(self) -> int:
        """Bytes of all files of the manifest."""
        return sum(listed.bytes for listed in self._manifest.values())

    def get(self, key: str) -> Entry | None:
        """The entry, or None if it is not listed or is damaged (see ``damaged``)."""
        listed = self._manifest.get(key)
        if listed is None:
            return None
        try:
            return _load(self._directory, key, listed)
        except OSError as error:
            self._note(listed.file, error)
            return None

    def meta(self, key: str) -> dict[str, Any] | None:
        """The header alone, or None as for ``get``; the arrays are neither read nor checked."""
        listed = self._manifest.get(key)
        if listed is None:
            return None
        try:
            with (self._directory / listed.file).open("rb") as file:
                return read_meta(file, key)
        except OSError as error:
            self._note(listed.file, error)
            return None

    def damaged(self) -> list[str]:
        """One sentence for each damaged file met so far, saying how to restore it."""
        return list(self._damage.values())

    @cached_property
    def _manifest(self) -> dict[str, _Listed]:
        try:
            return _read_manifest(self._directory)
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._note(MANIFEST, error)
            return {}

    def _note(self, name: str, error: OSError) -> None:
        reason = str(error) if isinstance(error, DamagedEntry) else error.strerror
        sentence = (
            f"Bundled record {name} is damaged ({reason}). "
            "Restore it with: python -m pru_demo precompute"
        )
        if self._damage.setdefault(name, sentence) is sentence:
            _log.warning(sentence)


def write_bundle(directory: Path, entries: Mapping[str, Entry], names: Mapping[str, str]) -> None:
    """Make ``directory`` the bundle of exactly these entries; ``names`` maps key to file name.

    Each file appears whole or not at all, and the manifest last; only then are files removed that
    the previous manifest listed and this one does not. Raises KeyError for a key without a name,
    ValueError for a name that is unsafe or used twice, and all that ``encode`` raises.
    """
    used = [names[key] for key in entries]
    for name in used:
        if not _is_safe(name):
            raise ValueError(f"{name!r} cannot name a bundled record: use letters, digits, . _ -")
    if len({name.lower() for name in used}) < len(used):
        raise ValueError("Two bundled records have the same file name.")

    directory.mkdir(parents=True, exist_ok=True)
    previous: set[str] = set()
    with contextlib.suppress(OSError):  # none yet, or damaged: nothing is known to be removable
        previous = {listed.file for listed in _read_manifest(directory).values()}

    manifest: dict[str, dict[str, str | int]] = {}
    for key, entry in entries.items():
        data = encode(entry.meta, entry.arrays, key)
        replace_file(directory / names[key], data)
        digest = hashlib.sha256(data).hexdigest()
        manifest[key] = {"file": names[key], "sha256": digest, "bytes": len(data)}
    text = json.dumps({"schema": MANIFEST_SCHEMA, "entries": manifest}, indent=1, sort_keys=True)
    replace_file(directory / MANIFEST, text.encode() + b"\n")
    for name in previous.difference(used):
        (directory / name).unlink(missing_ok=True)


def _is_safe(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and not name.startswith(".") and name.lower() != MANIFEST


def _read_manifest(directory: Path) -> dict[str, _Listed]:
    """Raises DamagedEntry for a manifest that ``write_bundle`` cannot have written."""
    try:
        manifest = json.loads((directory / MANIFEST).read_bytes())
        if manifest["schema"] != MANIFEST_SCHEMA:
            raise DamagedEntry(f"schema is {manifest['schema']!r}, not {MANIFEST_SCHEMA}")
        listed = {str(key): _Listed(**line) for key, line in manifest["entries"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedEntry("not a manifest") from error
    for line in listed.values():
        if not isinstance(line.file, str) or not _is_safe(line.file):
            raise DamagedEntry(f"file name {line.file!r} is refused")
    return listed


def _load(directory: Path, key: str, listed: _Listed) -> Entry:
    path = directory / listed.file
    if path.stat().st_size != listed.bytes:
        raise DamagedEntry("size differs")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != listed.sha256:
        raise DamagedEntry("checksum differs")
    return decode(data, key)
