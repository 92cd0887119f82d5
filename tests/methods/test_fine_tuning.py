"""The loop that most methods share."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pru_demo.data.samples import Batch, crop_and_flip
from pru_demo.methods.fine_tuning import fine_tune
from pru_demo.methods.step import ForgetSet, Step
from pru_demo.models.split import SplitModel
from pru_demo.parameters import FineTuningParams
from tests.same import changed, frozen
from tests.spy import spied

WEIGHTS = {
    "extractor.0.weight",
    "extractor.1.weight",
    "extractor.1.bias",
    "classifier.weight",
    "classifier.bias",
}


def run(
    model: SplitModel, forget: ForgetSet, learning_rate: float = 0.1, **options: Any
) -> Iterator[Step]:
    epochs = options.pop("epochs", 2)
    params = FineTuningParams(learning_rate, epochs, batch_size=20)
    return fine_tune(model, forget, params, None, **{"name": "loss", **options})


def test_it_yields_the_same_network_after_every_epoch(tiny: SplitModel, nines: ForgetSet) -> None:
    steps = list(run(tiny, nines, epochs=3))
    assert [(step.epoch, step.phase) for step in steps] == [(1, "all"), (2, "all"), (3, "all")]
    assert all(step.model is tiny for step in steps)


def test_every_epoch_moves_all_weights(tiny: SplitModel, nines: ForgetSet) -> None:
    states = [frozen(tiny), *(frozen(step.model) for step in run(tiny, nines))]
    for before, after in pairwise(states):
        assert {name for name in WEIGHTS if not torch.equal(before[name], after[name])} == WEIGHTS


def test_the_loss_is_the_mean_over_all_images(nines: ForgetSet) -> None:
    # Without BatchNorm an image's loss does not depend on the batch it comes with.
    plain = SplitModel(nn.Flatten(), nn.Linear(784, 10))
    expected = F.cross_entropy(plain(nines.images / 255), nines.labels.long()).item()
    for step in run(plain, nines, 0.0):
        # Batches of 20, 20 and 8
        assert step.losses == {"loss": pytest.approx(expected, rel=1e-5)}


def test_the_loss_is_told_which_images_the_batch_has(tiny: SplitModel, nines: ForgetSet) -> None:
    spy, seen = spied(tiny)
    told: list[Batch] = []

    def loss(logits: Tensor, batch: Batch) -> Tensor:
        told.append(replace(batch, x=batch.x.clone()))
        return logits.mean()

    list(run(spy, nines, 0.0, loss_of=loss))
    for batch, sight in zip(told, seen, strict=True):
        assert torch.equal(batch.x, sight.images)
        assert torch.equal(batch.x, nines.images[batch.index] / 255)
        assert torch.equal(batch.y, nines.labels[batch.index].long())
    for epoch in (told[:3], told[3:]):
        indices = torch.cat([batch.index for batch in epoch])
        assert indices.sort().values.tolist() == list(range(48))
    assert told[0].index.tolist() != told[3].index.tolist()


def test_augmented_images_are_other_images_every_epoch(tiny: SplitModel, nines: ForgetSet) -> None:
    def shown(seed: int) -> list[set[bytes]]:
        spy, seen = spied(tiny)
        list(run(spy, replace(nines, augment=crop_and_flip, seed=seed), 0.0))
        images = [image.contiguous().numpy().tobytes() for sight in seen for image in sight.images]
        return [set(images[:48]), set(images[48:])]

    first, second = shown(7)
    assert len(first & second) < 5
    assert shown(7) == [first, second]
    assert len(first & shown(8)[0]) < 5


def test_cost_counts_what_came_before_and_each_epoch(tiny: SplitModel, nines: ForgetSet) -> None:
    steps = run(tiny, nines, cost_before=100, asked_per_image=1)
    assert [step.forward_equivalents for step in steps] == [100 + 4 * 48, 100 + 8 * 48]
    assert next(run(tiny, nines)).forward_equivalents == 3 * 48


def test_batch_norm_statistics_follow_the_forgotten_images(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    before = frozen(tiny)
    for step in run(tiny, nines, 0.0):
        step.model.eval()
    assert changed(before, tiny) == set(before) - WEIGHTS


def test_train_mode_comes_back_after_the_caller_measured(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    spy, seen = spied(tiny)
    for step in run(spy, nines):
        step.model.eval()
    assert len(seen) == 2 * 3
    assert all(sight.training for sight in seen)
