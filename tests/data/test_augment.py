"""Crops and flips of a batch are those of torchvision on single images."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional as image

from pru_demo.data import DATASETS
from pru_demo.data.samples import augment_of, crop_and_flip


def batch(count: int, channels: int = 3, size: int = 32, height: int | None = None) -> Tensor:
    """Images without a zero, so that what comes in is recognised."""
    shape = (count, channels, height or size, size)
    generator = torch.Generator().manual_seed(0)
    return torch.randint(1, 256, shape, dtype=torch.uint8, generator=generator)


def augmented(images: Tensor, seed: int = 7) -> Tensor:
    return crop_and_flip(images, torch.Generator().manual_seed(seed))


def origins(before: Tensor, after: Tensor) -> list[tuple[int, int, bool]]:
    """All (row, column, mirrored) for which torchvision makes ``after`` of the image ``before``."""
    padded = image.pad(before, [4])
    height, width = before.shape[1:]
    return [
        (row, column, mirrored)
        for row in range(9)
        for column in range(9)
        for mirrored in (False, True)
        if torch.equal(
            after,
            image.hflip(image.crop(padded, row, column, height, width))
            if mirrored
            else image.crop(padded, row, column, height, width),
        )
    ]


@pytest.mark.parametrize(
    "images", [batch(40), batch(40, 1, 28), batch(40, 2, 12, height=20)], ids=["32", "28", "oblong"]
)
def test_every_image_is_a_shifted_and_perhaps_mirrored_copy_with_black_coming_in(
    images: Tensor,
) -> None:
    found = [origins(*pair) for pair in zip(images, augmented(images), strict=True)]
    assert [len(each) for each in found] == [1] * 40
    assert len({each[0] for each in found}) > 20


def test_shifts_and_flips_are_uniform() -> None:
    images = batch(1, 1, 12).repeat(3000, 1, 1, 1)
    results, counts = torch.unique(augmented(images), dim=0, return_counts=True)
    assert len(results) == 9 * 9 * 2
    places = [origins(images[0], result)[0] for result in results]
    for part, values in ((0, 9), (1, 9), (2, 2)):
        for value in range(values):
            seen = sum(int(n) for p, n in zip(places, counts, strict=True) if p[part] == value)
            expected = 3000 / values
            assert abs(seen - expected) < 5 * expected**0.5


def test_rows_columns_and_mirrors_are_drawn_independently() -> None:
    images = batch(400, 1, 12)
    places = [origins(*pair)[0] for pair in zip(images, augmented(images), strict=True)]
    rows, columns, mirrored = torch.tensor(places, dtype=torch.float64).T
    for one, other in ((rows, columns), (rows, mirrored), (columns, mirrored)):
        correlation = torch.corrcoef(torch.stack([one, other]))[0, 1]
        assert abs(correlation) < 0.2


def test_all_channels_of_an_image_move_together() -> None:
    grey = batch(20, 1)
    moved = augmented(grey.repeat(1, 3, 1, 1))
    assert torch.equal(moved[:, 0], moved[:, 1])
    assert torch.equal(moved[:, 0], moved[:, 2])


def test_the_generator_decides_the_crops() -> None:
    images = batch(20)
    torch.manual_seed(1)
    one, state = augmented(images), torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(one, augmented(images))
    assert not torch.equal(one, augmented(images, seed=8))
    torch.manual_seed(1)
    assert torch.equal(state, torch.get_rng_state())


def test_a_generator_gives_other_crops_each_time() -> None:
    images, generator = batch(20), torch.Generator().manual_seed(7)
    assert not torch.equal(crop_and_flip(images, generator), crop_and_flip(images, generator))


def test_the_crops_do_not_depend_on_what_the_images_show() -> None:
    one, other = batch(20), batch(20).flip(0)
    places = [
        [origins(*pair)[0] for pair in zip(images, augmented(images), strict=True)]
        for images in (one, other)
    ]
    assert places[0] == places[1]


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32, torch.float64])
def test_type_and_shape_are_kept_and_the_input_is_untouched(kind: torch.dtype) -> None:
    images = batch(20).to(kind)
    before = images.clone()
    after = augmented(images)
    assert after.dtype == kind
    assert after.shape == images.shape
    assert torch.equal(before, images)
    after.zero_()
    assert torch.equal(before, images)


def test_only_the_colour_data_sets_are_augmented() -> None:
    found = {name: augment_of(name) for name in ("mnist", "fashion-mnist", "kmnist")}
    assert set(found.values()) == {None}
    assert augment_of("cifar10") is augment_of("cifar100") is crop_and_flip
    for name, spec in DATASETS.items():
        assert (augment_of(name) is None) == (not spec.augment)
