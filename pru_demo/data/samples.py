"""Single images without torch: what the web process needs to show and to offer."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pru_demo.data.mnist_files import read_part
from pru_demo.paths import ASSETS


@lru_cache(maxsize=1)
def mnist_test() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Test images (10000, 28, 28) and labels (10000,) of MNIST.

    Raises :class:`pru_demo.data.idx.DamagedData` when a file is missing or changed.
    """
    directory = ASSETS / "data" / "mnist"
    return (
        read_part(directory, "t10k-images-idx3-ubyte"),
        read_part(directory, "t10k-labels-idx1-ubyte"),
    )
