"""The layout of Hugging Face: Parquet files with encoded pictures and labels.

pyarrow is imported where a file is opened, so that nobody pays for it who has no such file.
"""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pru_demo.data.published import Published, Source, checked
from pru_demo.data.spec import PARTS, Arrays, DamagedData, Part, StoredPart

IMAGE_COLUMNS = ("image", "img")
# CIFAR-100 has fine and coarse labels and no column of the usual name.
LABEL_COLUMNS = ("label", "fine_label")
JPEG_NOTE = "JPEG copy: re-encoded, so numbers differ slightly from the published files"

_BATCH = 256
_JPEG_START = b"\xff\xd8"


def parquet_source(folder: Path, data: Published, repair: str) -> Source:
    """The Parquet files in ``folder``; ``repair`` is the sentence that tells how to replace one."""
    missing = tuple(f"{part}-*.parquet" for part in PARTS if not parquet_files(folder, part))

    def read(part: Part) -> Arrays:
        from pru_demo.data.pictures import decode_part

        stored = parquet_part(folder, part, repair)
        images = decode_part(stored, data.channels, data.image_size, repair, fit=False)
        return checked(images, stored.labels, data, part, folder, repair)

    def note() -> str:
        first = parquet_files(folder, "train")[0]
        return JPEG_NOTE if _starts_with_jpeg(first, first.stat().st_mtime_ns) else ""

    return Source(folder, missing, len(missing) < len(PARTS), repair, read, note)


def parquet_files(folder: Path, part: Part) -> list[Path]:
    """The files of ``part``, in order."""
    return sorted(folder.glob(f"{part}-*.parquet"))


def parquet_part(folder: Path, part: Part, repair: str) -> StoredPart:
    """The rows of ``part``. Class names come from the metadata that Hugging Face writes, if any.

    Raises :class:`DamagedData` when a file is missing, unreadable, or has other columns.
    """
    files = parquet_files(folder, part)
    labels: list[NDArray[np.int64]] = []
    names = None
    for path in files:
        with _opened(path, repair) as file:
            column = _column(file.schema_arrow.names, LABEL_COLUMNS, path, repair)
            labels.append(_labels(file, column, path, repair))
            names = names or _class_names(file.schema_arrow.metadata or {}, column)
    if not sum(map(len, labels)):
        raise DamagedData(f"{folder} has no pictures in {part}-*.parquet. {repair}")
    return StoredPart(np.concatenate(labels), names, partial(_pictures, files, repair))


def _pictures(files: Sequence[Path], repair: str) -> Generator[tuple[str, bytes], None, None]:
    for path in files:
        row = 0
        with _opened(path, repair) as file:
            column = _column(file.schema_arrow.names, IMAGE_COLUMNS, path, repair)
            if not file.schema_arrow.field(column).type.num_fields:
                raise _without_pictures(path, repair)
            for batch in file.iter_batches(_BATCH, columns=[f"{column}.bytes"]):
                if not batch.num_columns:
                    raise _without_pictures(path, repair)
                for content in batch.column(0).field("bytes").to_pylist():
                    row += 1
                    if not isinstance(content, bytes):
                        raise _without_pictures(path, repair)
                    yield f"Picture {row} of {path}", content


@contextmanager
def _opened(path: Path, repair: str) -> Iterator[Any]:
    """A ``pyarrow.parquet.ParquetFile``; what pyarrow raises meanwhile becomes a sentence."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except DamagedData:
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0].rstrip(". ")
        raise DamagedData(f"{path} cannot be read as Parquet ({reason}). {repair}") from error


def _column(names: Sequence[str], wanted: Sequence[str], path: Path, repair: str) -> str:
    for name in wanted:
        if name in names:
            return name
    raise DamagedData(f"{path} has no column {' or '.join(wanted)}. {repair}")


def _labels(file: Any, column: str, path: Path, repair: str) -> NDArray[np.int64]:
    labels = file.read(columns=[column])[column]
    values = labels.to_numpy()
    if labels.null_count or values.dtype.kind not in "iu":
        raise DamagedData(f"{path} has labels that are no whole numbers. {repair}")
    return values.astype(np.int64)  # type: ignore[no-any-return]


def _class_names(metadata: Mapping[bytes, bytes], column: str) -> tuple[str, ...] | None:
    try:
        names = json.loads(metadata[b"huggingface"])["info"]["features"][column]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return tuple(map(str, names)) if isinstance(names, list) else None


def _without_pictures(path: Path, repair: str) -> DamagedData:
    return DamagedData(f"{path} does not hold the pictures themselves. {repair}")


@lru_cache(maxsize=8)
def _starts_with_jpeg(path: Path, modified: int) -> bool:
    with closing(_pictures([path], "")) as pictures:
        return next(pictures, ("", b""))[1].startswith(_JPEG_START)
