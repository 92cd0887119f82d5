"""The five published data sets: what they are, how others store them, and a place to find one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pru_demo.data.spec import Arrays, DamagedData, DatasetSpec, Part, Reader

TEST_SIZE = 10_000


@dataclass(frozen=True, kw_only=True)
class Published:
    """The facts of :class:`DatasetSpec`, and where other software looks for the data.

    Attributes:
        torchvision: the name of its class there, which also downloads it.
        folder: where that class keeps the files, below its root.
        md5: checksums of the uncompressed idx files, as far as they are known.
    """

    label: str
    class_names: tuple[str, ...]
    torchvision: str
    folder: str
    channels: int = 1
    image_size: int = 28
    train_size: int = 60_000
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    drawable: bool = False
    md5: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_idx(self) -> bool:
        """Whether it is published as idx files: MNIST and what was made in its image."""
        return self.channels == 1

    def size(self, part: Part) -> int:
        return self.train_size if part == "train" else TEST_SIZE

    def spec(self, read: Reader) -> DatasetSpec:
        return DatasetSpec(
            label=self.label,
            class_names=self.class_names,
            channels=self.channels,
            image_size=self.image_size,
            train_size=self.train_size,
            read=read,
            mean=self.mean,
            std=self.std,
            augment=not self.is_idx,
            drawable=self.drawable,
            white_ink=self.is_idx,
        )


@dataclass(frozen=True)
class Source:
    """A folder in which a published data set may lie, in one of the layouts.

    Attributes:
        folder: where the files lie.
        missing: the files that are not there; the data set can be read if there are none.
        begun: whether any of its files is there.
        repair: the sentence that tells how to replace one.
        read: reads a part, or raises :class:`DamagedData`.
        note: what a reader of results must know of this copy, or "".
    """

    folder: Path
    missing: tuple[str, ...]
    begun: bool
    repair: str
    read: Reader
    note: Callable[[], str] = lambda: ""


def checked(
    images: NDArray[np.uint8],
    labels: NDArray[np.integer],
    data: Published,
    part: Part,
    folder: Path,
    repair: str,
) -> Arrays:
    """``images`` (N, C, H, W) and ``labels`` (N,), if they are what is published of ``part``.

    Raises :class:`DamagedData` otherwise.
    """
    shape = (data.size(part), data.channels, data.image_size, data.image_size)
    classes = len(data.class_names)
    if images.shape != shape or labels.shape != shape[:1]:
        problem = f"images {images.shape} and labels {labels.shape}, not {shape} and {shape[:1]}"
    elif labels.min() < 0 or labels.max() >= classes:
        problem = f"labels from {labels.min()} to {labels.max()}, not 0 to {classes - 1}"
    else:
        return images, labels.astype(np.uint8)
    raise DamagedData(f"The {part} part of {data.label} in {folder} has {problem}. {repair}")


_DIGITS = tuple("0123456789")
_GARMENTS = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
_KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_CIFAR10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
_CIFAR100 = (
    *("apple", "aquarium fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle"),
    *("bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle"),
    *("caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch"),
    *("crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox"),
    *("girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn mower", "leopard", "lion"),
    *("lizard", "lobster", "man", "maple tree", "motorcycle", "mountain", "mouse", "mushroom"),
    *("oak tree", "orange", "orchid", "otter", "palm tree", "pear", "pickup truck", "pine tree"),
    *("plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road"),
    *("rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake"),
    *("spider", "squirrel", "streetcar", "sunflower", "sweet pepper", "table", "tank", "telephone"),
    *("television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale"),
    *("willow tree", "wolf", "woman", "worm"),
)

PUBLISHED: dict[str, Published] = {
    "mnist": Published(
        label="MNIST",
        class_names=_DIGITS,
        torchvision="MNIST",
        folder="MNIST/raw",
        drawable=True,
        md5={
            "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
            "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
            "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
            "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
        },
    ),
    "fashion-mnist": Published(
        label="Fashion-MNIST",
        class_names=_GARMENTS,
        torchvision="FashionMNIST",
        folder="FashionMNIST/raw",
        md5={
            "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
            "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
            "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
        },
    ),
    "kmnist": Published(
        label="Kuzushiji-MNIST",
        class_names=_KUZUSHIJI,
        torchvision="KMNIST",
        folder="KMNIST/raw",
    ),
    "cifar10": Published(
        label="CIFAR-10",
        class_names=_CIFAR10,
        torchvision="CIFAR10",
        folder="cifar-10-batches-py",
        channels=3,
        image_size=32,
        train_size=50_000,
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2023, 0.1994, 0.2010),
    ),
    "cifar100": Published(
        label="CIFAR-100",
        class_names=_CIFAR100,
        torchvision="CIFAR100",
        folder="cifar-100-python",
        channels=3,
        image_size=32,
        train_size=50_000,
        mean=(0.5071, 0.4867, 0.4408),
        std=(0.2675, 0.2565, 0.2761),
    ),
}
