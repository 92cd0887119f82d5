"""One spelling for every JSON value, so that equal contents have equal bytes and equal hashes.

One file format for everything we keep: a JSON header and named arrays, both checksummed.

    magic | sha256 of (lengths … meta) | sha256 of body, lengths | meta: JSON | body: safetensors

The first checksum covers the second, so the header can be read and trusted without reading the
arrays behind it. There is no way for these bytes to make Python run code.
"""

import hashlib
import io
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

# What ``json`` can write. Any, because a recursive alias makes every reader cast and every writer
# fight the invariance of dict and list, while only ``json.dumps`` really checks the value.
JSON: TypeAlias = Any

SCHEMA = 2
"""Raise it when the meaning of stored contents changes: all older keys are then never asked for."""


def canonical_json(value: JSON) -> str:
    """``value`` as compact JSON with sorted keys.

    Raises TypeError for what JSON cannot hold and ValueError for NaN and infinity: a number that
    was not computed is ``None``.
    """
    return json.dumps(
        value, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":")
    )


def content_key(kind: str, content: JSON) -> str:
    """The store key of everything computed from ``content``: ``v2:kind:sha256``.

    The hash keeps whatever a user typed away from file names. Raises as ``canonical_json`` does.
    """
    digest = hashlib.sha256(canonical_json(content).encode()).hexdigest()
    return f"v{SCHEMA}:{kind}:{digest}"


MAGIC = b"PRU1"
MAX_META_BYTES = 64 * 2**20
MAX_BYTES = 512 * 2**20

_PROLOGUE = struct.Struct("<4s32s")  # magic, digest of all that follows up to the body
_LENGTHS = struct.Struct("<32sIQ")  # digest of the body, bytes of meta, bytes of body


class DamagedEntry(OSError):
    """The bytes are not those that were written.

    An OSError, because that is what diskcache turns into a miss, which is what damage should be.
    """


@dataclass(frozen=True)
class Entry:
    """What a key stands for: a JSON object and named arrays (read-only when they were loaded)."""

    meta: dict[str, JSON]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


def encode(meta: Mapping[str, JSON], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of an entry, always the same for the same content.

    Raises TypeError for a header that is not JSON or an array that is not numeric, ValueError for
    NaN in the header and for an entry above 512 MiB (header: 64 MiB).
    """
    head = canonical_json(dict(meta)).encode()
    body = _encode_arrays(arrays)
    size = _PROLOGUE.size + _LENGTHS.size + len(head) + len(body)
    if size > MAX_BYTES or len(head) > MAX_META_BYTES:
        raise ValueError(
            f"An entry of {size >> 20} MiB with a header of {len(head) >> 20} MiB is too large: "
            f"at most {MAX_BYTES >> 20} and {MAX_META_BYTES >> 20} MiB can be kept."
        )
    lengths = _LENGTHS.pack(hashlib.sha256(body).digest(), len(head), len(body))
    prologue = _PROLOGUE.pack(MAGIC, hashlib.sha256(lengths + head).digest())
    return b"".join((prologue, lengths, head, body))


def decode(data: bytes) -> Entry:
    """The entry in ``data``. Raises DamagedEntry unless every byte is as ``encode`` wrote it."""
    stream = io.BytesIO(data)
    meta, digest, length = _read_head(stream)
    body = stream.read()
    if len(body) != length or hashlib.sha256(body).digest() != digest:
        raise DamagedEntry("checksum differs")
    return Entry(meta, _decode_arrays(body))


def read_meta(stream: BinaryIO) -> dict[str, JSON]:
    """The header at the start of ``stream``; the arrays are not read. Raises DamagedEntry."""
    return _read_head(stream)[0]


def _read_head(stream: BinaryIO) -> tuple[dict[str, JSON], bytes, int]:
    """Header, digest of the body, bytes of the body; the stream then stands at the body."""
    start = stream.read(_PROLOGUE.size + _LENGTHS.size)
    if len(start) < _PROLOGUE.size + _LENGTHS.size or not start.startswith(MAGIC):
        raise DamagedEntry("not a record of this program")
    _, expected = _PROLOGUE.unpack_from(start)
    body_digest, meta_length, body_length = _LENGTHS.unpack_from(start, _PROLOGUE.size)
    # Before the checksum the length is only a claim: do not let it allocate gigabytes.
    if meta_length > MAX_META_BYTES:
        raise DamagedEntry("checksum differs")
    head = stream.read(meta_length)
    if hashlib.sha256(start[_PROLOGUE.size :] + head).digest() != expected:
        raise DamagedEntry("checksum differs")
    try:
        meta = json.loads(head)
    except (ValueError, RecursionError) as error:
        raise DamagedEntry("header is not JSON") from error
    if not isinstance(meta, dict):
        raise DamagedEntry("header is not a JSON object")
    return meta, body_digest, body_length


def _encode_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    from safetensors import SafetensorError
    from safetensors.numpy import save

    # safetensors reads raw memory: it needs C order (asarray keeps 0-d arrays 0-d).
    dense = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    for name, array in dense.items():
        if array.dtype.kind not in "biuf":
            raise TypeError(f"Array {name!r} has type {array.dtype}; only numbers can be stored.")
    try:
        return bytes(save(dense))
    except (SafetensorError, KeyError) as error:
        raise TypeError(f"safetensors cannot hold these arrays: {error}") from error


def _decode_arrays(body: bytes) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays: dict[str, NDArray[Any]] = load(body)
    except (SafetensorError, KeyError, ValueError) as error:
        raise DamagedEntry("body is not safetensors") from error
    for array in arrays.values():
        array.flags.writeable = False
    return arrays
