"""Every sample once per epoch, in an order that the seed decides."""

from itertools import product

import pytest
import torch

from pru_demo.data.samples import Samples, seeded
from pru_demo.heartbeat import listening


def samples(count: int) -> Samples:
    return Samples(torch.zeros(count, 1, 1, 1, dtype=torch.uint8), torch.zeros(count))


def batches(count: int, size: int, *numbers: int) -> list[list[int]]:
    return [batch.index.tolist() for batch in samples(count).batches(size, seeded(*numbers))]


@pytest.mark.parametrize(("count", "size"), [(10, 3), (12, 4), (9, 4), (3, 10), (2, 1), (1, 1)])
def test_every_sample_comes_once(count: int, size: int) -> None:
    assert sorted(i for batch in batches(count, size, 7, 1) for i in batch) == list(range(count))


def test_last_batch_is_kept_though_shorter() -> None:
    assert [len(batch) for batch in batches(10, 4, 7)] == [4, 4, 2]


def test_a_last_batch_of_one_joins_the_one_before() -> None:
    assert [len(batch) for batch in batches(9, 4, 7)] == [4, 5]


def test_a_single_sample_is_a_batch() -> None:
    assert batches(1, 4, 7) == [[0]]


def test_seed_and_epoch_decide_the_order() -> None:
    assert batches(50, 8, 7, 1) == batches(50, 8, 7, 1)
    assert batches(50, 8, 7, 1) != batches(50, 8, 7, 2)
    assert batches(50, 8, 7, 1) != batches(50, 8, 8, 1)


def test_different_numbers_give_different_streams() -> None:
    numbers = [(a,) for a in range(4)]
    numbers += list(product(range(4), repeat=2)) + list(product(range(4), repeat=3))  # type: ignore[arg-type]
    seeds = {seeded(*each).initial_seed() for each in numbers}
    assert len(seeds) == len(numbers)


def test_global_random_state_neither_decides_nor_changes() -> None:
    torch.manual_seed(1)
    one, state = batches(50, 8, 7), torch.get_rng_state()
    batches(50, 8, 7)
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(2)
    assert batches(50, 8, 7) == one


def test_a_beat_follows_every_batch() -> None:
    log: list[str] = []
    with listening(lambda: log.append("beat")):
        log.extend("batch" for _ in samples(10).batches(4, seeded(7)))
    assert log == ["batch", "beat"] * 3
