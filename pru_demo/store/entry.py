"""One file format for everything we keep: a JSON header and named arrays, both checksummed.

An entry is a safetensors file that any reader of that format opens. Its metadata holds

    key            of the entry in the store
    meta           the header, as canonical JSON
    arrays_sha256  of the names, types and places of the arrays, and of their numbers
    sha256         of the three above

so that the header can be read and trusted without the arrays behind it. The same content always
has the same bytes, which is why the file is laid out here: the safetensors library writes its
metadata in a random order. There is no way for these bytes to make Python run code.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

SCHEMA = 3
"""Raise it when the meaning of stored contents changes: all older keys are then never asked for."""

MAX_META_BYTES = 64 * 2**20
MAX_BYTES = 512 * 2**20

_LENGTH_BYTES = 8  # little-endian, before the JSON of a safetensors file
_METADATA = "__metadata__"
# numpy's name of a type -> that of safetensors; numbers only, all little-endian.
_TYPES = {
    **{"|b1": "BOOL", "|i1": "I8", "<i2": "I16", "<i4": "I32", "<i8": "I64"},
    **{"|u1": "U8", "<u2": "U16", "<u4": "U32", "<u8": "U64"},
    **{"<f2": "F16", "<f4": "F32", "<f8": "F64"},
}
_NUMPY_TYPES = {name: np.dtype(code) for code, name in _TYPES.items()}


class DamagedEntry(OSError):
    """The bytes are not those that were written: the entry cannot be read, as from a bad disk."""


@dataclass(frozen=True)
class Entry:
    """What a key stands for: a JSON object and named arrays (read-only when they were loaded).

    ``meta`` holds what ``json`` can write. Any, because a recursive type makes every reader cast
    and every writer fight the invariance of dict, while only ``canonical_json`` checks the value.
    """

    meta: dict[str, Any]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


class _Head(NamedTuple):
    """What stands before the arrays: ``text`` is ``meta`` as written, ``size`` in bytes."""

    key: str
    text: str
    meta: dict[str, Any]
    tensors: dict[str, Any]
    size: int


def canonical_json(value: object) -> str:
    """``value`` as compact JSON with sorted keys: equal values have equal bytes and equal hashes.

    Raises TypeError for what JSON cannot hold and ValueError for NaN and infinity: a number that
    was not computed is ``None``.
    """
    return json.dumps(
        value, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":")
    )


def content_key(kind: str, content: object) -> str:
    """The store key of everything computed from ``content``: ``v3:kind:sha256``.

    The hash keeps whatever a user typed away from file names. Raises as ``canonical_json`` does.
    """
    return f"v{SCHEMA}:{kind}:{_sha256(canonical_json(content).encode())}"


def encode(meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], key: str = "") -> bytes:
    """The bytes of the entry of ``key``, always the same for the same content.

    Raises TypeError for a header that is not JSON or an array that is not numeric, ValueError for
    NaN in the header and for an entry above 512 MiB (header: 64 MiB).
    """
    dense = {name: _little_endian(name, array) for name, array in arrays.items()}
    tensors = _layout(dense)
    in_order = sorted(dense, key=lambda name: tensors[name]["data_offsets"])
    body = b"".join(dense[name].tobytes() for name in in_order)
    head = _write_head(key, canonical_json(dict(meta)), tensors, body)
    size = len(head) + len(body)
    if size > MAX_BYTES or len(head) > MAX_META_BYTES:
        raise ValueError(
            f"An entry of {size >> 20} MiB with a header of {len(head) >> 20} MiB is too large: "
            f"at most {MAX_BYTES >> 20} and {MAX_META_BYTES >> 20} MiB can be kept."
        )
    return head + body


def decode(data: bytes, key: str | None = None) -> Entry:
    """The entry in ``data``; its arrays are views of it.

    Raises DamagedEntry unless every byte is as ``encode`` wrote it, for ``key`` if that is given.
    """
    head = _read_head(io.BytesIO(data), key)
    body = memoryview(data)[head.size :]
    arrays = {}
    try:
        for name, tensor in head.tensors.items():
            kind, (begin, _) = _NUMPY_TYPES[tensor["dtype"]], tensor["data_offsets"]
            arrays[name] = np.ndarray(tensor["shape"], kind, body, begin)
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise DamagedEntry("checksum differs") from error
    # Written again from what was read: no byte of it can be anything else.
    if data[: head.size] != _write_head(head.key, head.text, _layout(arrays), body):
        raise DamagedEntry("checksum differs")
    return Entry(head.meta, arrays)


def read_meta(stream: BinaryIO, key: str | None = None) -> dict[str, Any]:
    """The header at the start of ``stream``; the arrays are not read. Raises DamagedEntry."""
    return _read_head(stream, key).meta


def _read_head(stream: BinaryIO, key: str | None) -> _Head:
    """Leaves the stream at the first array. The tensors are as they stand there, unchecked."""
    start = stream.read(_LENGTH_BYTES)
    length = int.from_bytes(start, "little")
    # So far the length is only a claim: do not let it allocate gigabytes.
    if len(start) < _LENGTH_BYTES or length > MAX_META_BYTES:
        raise DamagedEntry("not a record of this program")
    raw = stream.read(length)
    if len(raw) < length:
        raise DamagedEntry("checksum differs")
    try:
        tensors = json.loads(raw)
        metadata = tensors.pop(_METADATA)
        written, text, arrays_sha256 = (metadata[n] for n in ("key", "meta", "arrays_sha256"))
        expected = _sha256(canonical_json([written, text, arrays_sha256]).encode())
        whole = metadata["sha256"] == expected
        meta = json.loads(text) if whole else None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedEntry("not a record of this program") from error
    if not whole:
        raise DamagedEntry("checksum differs")
    if not isinstance(meta, dict):
        raise DamagedEntry("header is not a JSON object")
    if key is not None and written != key:
        raise DamagedEntry("it belongs to another key")
    return _Head(written, text, meta, tensors, _LENGTH_BYTES + length)


def _write_head(key: str, text: str, tensors: dict[str, Any], body: bytes | memoryview) -> bytes:
    arrays = hashlib.sha256(canonical_json(tensors).encode())
    arrays.update(body)
    metadata = {"key": key, "meta": text, "arrays_sha256": arrays.hexdigest()}
    metadata["sha256"] = _sha256(canonical_json([*metadata.values()]).encode())
    raw = canonical_json({_METADATA: metadata, **tensors}).encode()
    raw += b" " * (-len(raw) % _LENGTH_BYTES)  # so that the arrays are aligned in memory
    return len(raw).to_bytes(_LENGTH_BYTES, "little") + raw


def _layout(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Type, shape and place of each array as safetensors notes them, without gaps.

    The widest types come first, so that each array is aligned.
    """
    tensors, end = {}, 0
    for name in sorted(arrays, key=lambda name: (-arrays[name].itemsize, name)):
        array, begin = arrays[name], end
        end += array.nbytes
        tensors[name] = {
            "dtype": _TYPES[array.dtype.str],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
    return tensors


def _little_endian(name: str, array: NDArray[Any]) -> NDArray[Any]:
    dense = np.asarray(array)
    dense = dense.astype(dense.dtype.newbyteorder("<"), copy=False)
    if not isinstance(name, str) or name == _METADATA:
        raise TypeError(f"An array cannot be named {name!r}.")
    if dense.dtype.str not in _TYPES:
        raise TypeError(f"Array {name!r} has type {dense.dtype}; only numbers can be stored.")
    return dense


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
