"""What is written is what is read, or nothing is."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

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
    one, two = np.zeros(3), np.ones(3, np.uint8)
    first = encode({"a": 1, "b": 2}, {"x": one, "y": two})
    assert first == encode({"b": 2, "a": 1}, {"y": two, "x": one})


def test_loaded_arrays_cannot_be_changed_by_one_reader_for_all() -> None:
    array = decode(encode({}, {"a": np.zeros(3)})).arrays["a"]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_any_reader_of_safetensors_opens_an_entry(tmp_path: Path) -> None:
    arrays = {
        "wide": np.linspace(0, 1, 7),
        "a": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "none": np.zeros((0, 4), np.float16),
        "one": np.array(True),
    }
    path = tmp_path / "entry.safetensors"
    path.write_bytes(encode(META, arrays, "v3:run:0"))
    with safe_open(path, framework="np") as file:
        assert set(file.keys()) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(file.get_tensor(name), array, strict=True)
        assert json.loads(file.metadata()["meta"]) == META
        assert file.metadata()["key"] == "v3:run:0"


def test_an_entry_is_that_of_its_key_only() -> None:
    data = encode(META, {}, "mine")
    assert decode(data, "mine") == decode(data)
    assert read_meta(io.BytesIO(data), "mine") == META
    for key in ("", "another"):
        with pytest.raises(DamagedEntry, match="another key"):
            decode(data, key)
        with pytest.raises(DamagedEntry, match="another key"):
            read_meta(io.BytesIO(data), key)


def test_any_changed_byte_is_damage() -> None:
    data = encode(META, {"a": np.arange(9, dtype=np.uint8)})
    for position in range(len(data)):
        for change in (1, 0x20, 0x2A):  # a letter's case, a space that becomes another
            wrong = bytearray(data)
            wrong[position] ^= change
            with pytest.raises(DamagedEntry):
                decode(bytes(wrong))


def test_every_truncation_and_any_appended_byte_is_damage() -> None:
    data = encode(META, {"a": np.arange(4, dtype=np.uint8)})
    for wrong in [*(data[:length] for length in range(len(data))), data + b"\0"]:
        with pytest.raises(DamagedEntry):
            decode(wrong)


def test_the_header_is_read_without_the_arrays() -> None:
    data = encode(META, {"a": np.zeros(1000)})
    stream = io.BytesIO(data)
    assert read_meta(stream) == META
    assert stream.tell() == len(data) - 8000


class Claimed(io.BytesIO):
    """Notes the most that was asked of it."""

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        self.most = max(self.most, size or 0)
        return super().read(size)


def test_a_claimed_gigantic_header_is_damage_and_not_allocated() -> None:
    stream = Claimed(b"\xff\xff\xff\xff" + encode(META, {})[4:])
    with pytest.raises(DamagedEntry):
        read_meta(stream)
    assert stream.most == 8


@pytest.mark.parametrize(
    "claim",
    [
        {"shape": [10**12]},
        {"shape": [10**30]},
        {"shape": [-1]},
        {"shape": "9"},
        {"shape": [1] * 99},
        {"dtype": "F64"},
        {"dtype": "OBJECT"},
        {"data_offsets": [-8, 1]},
        {"data_offsets": [10**30, 1]},
        {"data_offsets": []},
        {"data_offsets": None},
    ],
    ids=str,
)
def test_arrays_that_are_not_where_they_claim_to_be_are_damage(claim: dict[str, Any]) -> None:
    data = encode(META, {"a": np.arange(9, dtype=np.uint8)})
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    head["a"] |= claim
    forged = json.dumps(head).encode()
    with pytest.raises(DamagedEntry):
        decode(len(forged).to_bytes(8, "little") + forged + data[8 + length :])


def test_what_is_too_large_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pru_demo.store.entry.MAX_META_BYTES", 2**20)
    with pytest.raises(ValueError, match="header of 2 MiB is too large"):
        encode({"text": "x" * 2**21}, {})
    monkeypatch.setattr("pru_demo.store.entry.MAX_BYTES", 2**20)
    with pytest.raises(ValueError, match="entry of 2 MiB"):
        encode({}, {"a": np.zeros(2**21, np.uint8)})


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}, None]),
        np.array(["text"]),
        np.zeros(2, "M8[s]"),
        np.zeros(2, np.complex64),
        np.zeros(2, np.longdouble),
    ],
)
def test_only_numbers_that_safetensors_knows_can_be_stored(array: np.ndarray) -> None:
    with pytest.raises(TypeError, match="only numbers"):
        encode({}, {"a": array})


def test_numbers_that_were_not_computed_are_refused_in_the_header() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode({"accuracy": float("nan")}, {})
