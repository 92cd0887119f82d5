"""A damaged file is named, with the command that brings it back."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from pru_demo.data.idx import read_idx
from pru_demo.data.spec import DamagedData

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
RAW = b"\0\0\x08\x03" + struct.pack(">III", 2, 3, 4) + IMAGES.tobytes()
MD5 = hashlib.md5(RAW, usedforsecurity=False).hexdigest()
REPAIR = "Restore it with: make data"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(RAW))
    return path


def test_images_come_back_in_their_shape(path: Path) -> None:
    array = read_idx(path, MD5, REPAIR)
    np.testing.assert_array_equal(array, IMAGES, strict=True)
    assert array.flags.writeable


def test_labels_come_back_as_a_vector(tmp_path: Path) -> None:
    raw = b"\0\0\x08\x01" + struct.pack(">I", 3) + b"\5\0\4"
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(raw))
    md5 = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    assert read_idx(path, md5, REPAIR).tolist() == [5, 0, 4]


def damages() -> dict[str, bytes]:
    packed = gzip.compress(RAW)
    flipped = bytearray(packed)
    flipped[len(flipped) // 2] ^= 0xFF
    return {
        "truncated": packed[: len(packed) // 2],
        "a byte flipped": bytes(flipped),
        "empty": b"",
        "not gzip": b"<html>404</html>",
        "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\n",
        "other content": gzip.compress(RAW[:-1] + b"\0"),
        "shorter content": gzip.compress(RAW[:-5]),
        "nothing inside": gzip.compress(b""),
    }


@pytest.mark.parametrize("damage", damages())
def test_damaged_file_is_named_with_its_repair(path: Path, damage: str) -> None:
    path.write_bytes(damages()[damage])
    with pytest.raises(DamagedData) as caught:
        read_idx(path, MD5, REPAIR)
    assert str(caught.value).startswith("images.gz ")
    assert str(caught.value).endswith(REPAIR)


def test_missing_file_is_named_with_its_folder_and_repair(tmp_path: Path) -> None:
    with pytest.raises(DamagedData) as caught:
        read_idx(tmp_path / "images.gz", MD5, REPAIR)
    assert str(caught.value) == f"images.gz is missing from {tmp_path}. {REPAIR}"


def test_a_plain_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(RAW)
    np.testing.assert_array_equal(read_idx(path, MD5, REPAIR), IMAGES, strict=True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        RAW[:10],
        RAW[:-1],
        RAW + b"\0",
        b"\0\0\x0d" + RAW[3:],
        b"\0\0\x08\x00",
        b"\0\0\x08\xff" + RAW[4:],
        b"\0\0\x08\x03" + b"\xff" * 12 + RAW[16:],
    ],
)
def test_without_a_checksum_the_header_must_fit_the_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DamagedData) as caught:
        read_idx(path, None, REPAIR)
    assert str(caught.value) == f"images is damaged: it is no complete idx file. {REPAIR}"


def test_a_folder_in_place_of_the_file_is_damage(tmp_path: Path) -> None:
    (tmp_path / "images.gz").mkdir()
    with pytest.raises(DamagedData, match=r"images\.gz cannot be read"):
        read_idx(tmp_path / "images.gz", MD5, REPAIR)
