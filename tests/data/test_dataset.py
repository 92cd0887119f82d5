"""How images become a batch."""

import pytest
import torch
from torch import Tensor

from pru_demo.data.samples import Samples, as_input, crop_and_flip

IMAGES = torch.arange(10 * 3 * 4 * 4).reshape(10, 3, 4, 4).remainder(256).to(torch.uint8)
LABELS = torch.arange(10, dtype=torch.uint8)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def test_bytes_become_numbers_in_0_to_1() -> None:
    x = as_input(IMAGES)
    assert x.dtype == torch.float32
    assert torch.equal(x, IMAGES.float() / 255)
    assert x.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_floats_are_taken_as_they_are(kind: torch.dtype) -> None:
    images = torch.rand(2, 3, 4, 4, dtype=kind)
    assert torch.equal(as_input(images), images)
    assert as_input(images).dtype == kind


def test_a_batch_has_the_images_and_labels_of_its_index_in_order() -> None:
    samples = Samples(IMAGES, LABELS)
    assert len(samples) == 10
    sizes = []
    for batch in samples.batches(4, generator()):
        assert torch.equal(batch.x, as_input(IMAGES[batch.index]))
        assert torch.equal(batch.y, batch.index)
        assert batch.y.dtype == torch.int64
        sizes.append(len(batch))
    assert sizes == [4, 4, 2]


def test_without_a_transform_only_the_order_is_drawn() -> None:
    draws, order = generator(), generator()
    list(Samples(IMAGES, LABELS).batches(4, draws))
    torch.randperm(10, generator=order)
    assert torch.equal(draws.get_state(), order.get_state())


def test_the_transform_gets_the_images_of_the_batch_and_the_generator() -> None:
    given: list[tuple[Tensor, torch.Generator]] = []

    def transform(images: Tensor, draws: torch.Generator) -> Tensor:
        given.append((images, draws))
        return 255 - images

    draws = generator()
    batches = list(Samples(IMAGES, LABELS, transform).batches(4, draws))
    for batch, (images, passed) in zip(batches, given, strict=True):
        assert torch.equal(images, IMAGES[batch.index])
        assert passed is draws
        assert torch.equal(batch.x, as_input(255 - images))


@pytest.mark.parametrize("transform", [None, crop_and_flip], ids=["fixed", "augmented"])
def test_images_are_untouched(transform: object) -> None:
    before = IMAGES.clone()
    for batch in Samples(IMAGES, LABELS, transform).batches(4, generator()):  # type: ignore[arg-type]
        batch.x.zero_()
    assert torch.equal(before, IMAGES)
