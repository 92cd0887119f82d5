"""Writes files so that a reader, and whoever comes after a crash, sees the old one or the new."""

import os
from pathlib import Path


def replace_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Make ``data`` the content of ``path``; a kill leaves all of the old content or all of this.

    Without ``sync`` a power cut may lose either. Raises OSError; then nothing has changed.
    """
    # Of this process, so that two that write at once do not write into each other's draft.
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
