"""The layout of MNIST and its relatives: four idx files in a folder, gzip-compressed or plain."""

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pru_demo.data.published import Published, Source, checked
from pru_demo.data.spec import PARTS, Arrays, DamagedData, Part


def idx_source(folder: Path, data: Published, repair: str) -> Source:
    """The idx files in ``folder``; ``repair`` is the sentence that tells how to replace one."""
    needed = [name for part in PARTS for name in _names(part)]
    missing = tuple(f"{name}.gz" for name in needed if not _file(folder, name).exists())

    def read(part: Part) -> Arrays:
        images, labels = (
            read_idx(_file(folder, name), data.md5.get(name), repair) for name in _names(part)
        )
        return checked(images[:, None], labels, data, part, folder, repair)

    return Source(folder, missing, len(missing) < len(needed), repair, read)


def _names(part: Part) -> tuple[str, str]:
    prefix = "train" if part == "train" else "t10k"
    return f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"


def _file(folder: Path, name: str) -> Path:
    """The plain file if there is one and no compressed one, which has a checksum of its own."""
    plain, packed = folder / name, folder / f"{name}.gz"
    return plain if plain.exists() and not packed.exists() else packed


# Two zero bytes, then the code of unsigned bytes; the number of dimensions follows.
_UNSIGNED_BYTES = b"\0\0\x08"


def read_idx(path: Path, md5: str | None, repair: str) -> NDArray[np.uint8]:
    """Read one idx file of unsigned bytes, compressed if it is called ``*.gz``.

    ``md5`` is the published checksum of the uncompressed file, None if there is none; ``repair``
    is the sentence that tells how to get a good copy. Returns images (N, H, W) or labels (N,),
    uint8.

    Raises :class:`DamagedData` when the file is missing, unreadable, differs from ``md5``, or does
    not hold what its header promises.
    """
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
    except FileNotFoundError as error:
        raise DamagedData(f"{path.name} is missing from {path.parent}. {repair}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DamagedData(f"{path.name} cannot be read ({error}). {repair}") from error
    if md5 and hashlib.md5(raw, usedforsecurity=False).hexdigest() != md5:
        raise DamagedData(
            f"{path.name} is damaged: its checksum is not the published one. {repair}"
        )
    shape = _shape(raw)
    start = 4 + 4 * len(shape)
    if not shape or len(raw) != start + math.prod(shape):
        raise DamagedData(f"{path.name} is damaged: it is no complete idx file. {repair}")
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(shape).copy()


def _shape(raw: bytes) -> tuple[int, ...]:
    """The dimensions in the header; () if that is none."""
    if raw[:3] != _UNSIGNED_BYTES or len(raw) < 4 or len(raw) < 4 + 4 * raw[3]:
        return ()
    return struct.unpack_from(f">{raw[3]}I", raw, 4)
