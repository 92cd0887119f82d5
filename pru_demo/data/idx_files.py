"""The layout of MNIST and its relatives: four idx files in a folder, compressed or not."""

from pathlib import Path

from pru_demo.data.idx import read_idx
from pru_demo.data.published import Published
from pru_demo.data.source import Source, checked
from pru_demo.data.spec import PARTS, Arrays, Part


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
