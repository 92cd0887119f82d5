"""What is written is what is read, or nothing is."""

import io

import numpy as np
import pytest

from pru_demo.store.entry import DamagedEntry, decode, encode, read_meta

META = {"name": "tyúk × 9", "loss": [1.5, None], "done": True}


@pytest.mark.parametrize("dtype", ["float16", "float32", "uint8", "uint16", "int32", "bool"])
@pytest.mark.parametrize("shape", [(3, 4), (0, 5), (0,), ()])
def test_arrays_keep_type_shape_and_values(dtype: str, shape: tuple[int, ...]) -> None:
    array = (np.random.default_rng(0).random(shape) * 9).astype(dtype)

    entry = decode(encode(META, {"a": array}))

    assert entry.meta == META
    assert entry.arrays["a"].dtype == array.dtype
    np.testing.assert_array_equal(entry.arrays["a"], array, strict=True)


def test_memory_layout_and_byte_order_do_not_change_values() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    variants = {"fortran": np.asfortranarray(array), "big": array.astype(">f4"), "strided": array}

    arrays = decode(encode({}, {**variants, "strided": np.repeat(array, 2, axis=1)[:, ::2]})).arrays

    for name in variants:
        np.testing.assert_array_equal(arrays[name], array)


def test_an_entry_without_arrays_is_kept() -> None:
    assert decode(encode(META, {})).arrays == {}


def test_equal_content_has_equal_bytes() -> None:
    assert encode({"a": 1, "b": 2}, {}) == encode({"b": 2, "a": 1}, {})


def test_loaded_arrays_cannot_be_changed_by_one_reader_for_all() -> None:
    array = decode(encode({}, {"a": np.zeros(3)})).arrays["a"]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


@pytest.mark.parametrize("position", ["magic", "digest", "length", "meta", "body", "last"])
def test_any_changed_byte_is_damage(position: str) -> None:
    data = bytearray(encode(META, {"a": np.arange(100, dtype=np.uint8)}))
    index = {"magic": 0, "digest": 10, "length": 70, "meta": 90, "body": -50, "last": -1}[position]
    data[index] ^= 1
    with pytest.raises(DamagedEntry):
        decode(bytes(data))


def test_every_truncation_and_any_appended_byte_is_damage() -> None:
    data = encode(META, {"a": np.arange(4, dtype=np.uint8)})
    for wrong in [*(data[:length] for length in range(len(data))), data + b"\0"]:
        with pytest.raises(DamagedEntry):
            decode(wrong)


def test_the_header_is_read_without_the_arrays() -> None:
    data = encode(META, {"a": np.zeros(1000)})
    stream = io.BytesIO(data)
    assert read_meta(stream) == META
    assert stream.tell() < len(data) - 8000


def test_a_claimed_gigantic_header_is_damage_and_not_allocated() -> None:
    data = bytearray(encode(META, {}))
    data[68:72] = b"\xff\xff\xff\xff"
    with pytest.raises(DamagedEntry):
        read_meta(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("array", [np.array([{}, None]), np.array(["text"]), np.zeros(2, "M8[s]")])
def test_only_numbers_can_be_stored(array: np.ndarray) -> None:
    with pytest.raises(TypeError, match="only numbers"):
        encode({}, {"a": array})


def test_numbers_that_were_not_computed_are_refused_in_the_header() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode({"accuracy": float("nan")}, {})
