"""The four files of MNIST as published, and their checksums. Needs no torch."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pru_demo.data.idx import read_idx

MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
REPAIR = "Restore it with: git checkout -- assets/data/mnist"


def read_part(directory: Path, name: str) -> NDArray[np.uint8]:
    """One of the four files by its published name, checked."""
    return read_idx(directory / f"{name}.gz", MD5[name], REPAIR)
