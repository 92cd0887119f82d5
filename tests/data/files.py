"""Writes small data sets in the layouts that the application reads."""

import gzip
import io
import json
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def random_images(count: int, channels: int, size: int, seed: int = 0) -> Pixels:
    """(N, C, H, W) noise."""
    return np.random.default_rng(seed).integers(0, 256, (count, channels, size, size), np.uint8)


def cycling(count: int, classes: int) -> Pixels:
    """Labels 0, 1, …, 0, 1, …"""
    return (np.arange(count) % classes).astype(np.uint8)


def idx_bytes(array: Pixels) -> bytes:
    """The array as an idx file."""
    header = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write_idx_part(
    folder: Path, part: str, images: Pixels, labels: Pixels, *, packed: bool = True
) -> None:
    """Two idx files by their published names; images are (N, 1, H, W)."""
    folder.mkdir(parents=True, exist_ok=True)
    prefix = "train" if part == "train" else "t10k"
    contents = {"images-idx3": images[:, 0], "labels-idx1": labels}
    for kind, array in contents.items():
        raw, name = idx_bytes(array), f"{prefix}-{kind}-ubyte"
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(raw))
        else:
            (folder / name).write_bytes(raw)


def encoded(image: Pixels, kind: str = "png", mode: str | None = None) -> bytes:
    """One (C, H, W) image as the content of a picture file."""
    picture = Image.fromarray(image[0] if len(image) == 1 else np.moveaxis(image, 0, -1))
    buffer = io.BytesIO()
    (picture.convert(mode) if mode else picture).save(buffer, kind)
    return buffer.getvalue()


def write_parquet(
    path: Path,
    pictures: Sequence[bytes | None],
    labels: Sequence[int | None],
    *,
    image_column: str = "image",
    label_column: str = "label",
    class_names: Sequence[str] = (),
) -> None:
    """One file as the library ``datasets`` writes it, class names in its metadata if there are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    structs = [{"bytes": content, "path": "somewhere.png"} for content in pictures]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table(
        {image_column: pa.array(structs, kind), label_column: pa.array(labels, pa.int64())}
    )
    if class_names:
        features = {label_column: {"names": list(class_names), "_type": "ClassLabel"}}
        note = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": note})
    pq.write_table(table, path)


def write_class_folders(folder: Path, part: str, pictures: dict[str, list[bytes]]) -> None:
    """``part/<class>/<number>.png`` for each picture, whatever it holds."""
    for name, contents in pictures.items():
        (folder / part / name).mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(contents):
            (folder / part / name / f"{number:02}.png").write_bytes(content)
