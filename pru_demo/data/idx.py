"""The idx format in which MNIST and its relatives are published, gzip-compressed."""

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class DamagedData(ValueError):
    """A data file is missing, incomplete or changed; the message says which and what to do."""


def read_idx(path: Path, md5: str, repair: str) -> NDArray[np.uint8]:
    """Read one idx file of unsigned bytes.

    ``md5`` is the published checksum of the uncompressed file, ``repair`` the sentence that tells
    how to get a good copy. Returns images (N, H, W) or labels (N,), uint8.

    Raises :class:`DamagedData` when the file is missing, unreadable, or differs from ``md5``.
    """
    try:
        raw = gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise DamagedData(f"{path.name} is missing from {path.parent}. {repair}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DamagedData(f"{path.name} cannot be read ({error}). {repair}") from error
    if hashlib.md5(raw, usedforsecurity=False).hexdigest() != md5:
        raise DamagedData(
            f"{path.name} is damaged: its checksum is not the published one. {repair}"
        )
    dimensions = raw[3]
    shape = np.frombuffer(raw, dtype=">u4", count=dimensions, offset=4)
    return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(shape).copy()
