"""Training that was interrupted ends where it would have ended."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from pru_demo.models import MODELS
from pru_demo.training import ORIGINAL, TrainingParams, train
from tests.conftest import make_tiny_model
from tests.same import frozen, same

PARAMS = TrainingParams(epochs=4, learning_rate=0.02, weight_decay=1e-3, batch_size=32)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def digits(few: Any) -> tuple[Tensor, Tensor]:
    images, labels = few(10, tuple(range(10)))
    return images, labels


@pytest.mark.parametrize("stop", [1, 3])
def test_resumed_training_gives_the_weights_of_an_uninterrupted_one(
    digits: tuple[Tensor, Tensor], stop: int
) -> None:
    whole = make_tiny_model()
    for _ in train(whole, *digits, PARAMS, seed=7):
        pass

    interrupted = make_tiny_model()
    for epoch in train(interrupted, *digits, PARAMS, seed=7):
        if epoch.epoch == stop:
            velocity = {name: tensor.clone() for name, tensor in epoch.velocity.items()}
            break
    resumed = deepcopy(interrupted)
    epochs = [
        epoch.epoch
        for epoch in train(resumed, *digits, PARAMS, seed=7, done_epochs=stop, velocity=velocity)
    ]
    assert epochs == list(range(stop + 1, 5))
    assert same(frozen(whole), frozen(resumed))

    # The momentum matters: without it the result would differ.
    for _ in train(interrupted, *digits, PARAMS, seed=7, done_epochs=stop):
        pass
    assert not same(frozen(whole), frozen(interrupted))


def test_a_finished_training_takes_no_further_epoch(digits: tuple[Tensor, Tensor]) -> None:
    model = make_tiny_model()
    assert list(train(model, *digits, PARAMS, seed=7, done_epochs=4)) == []
    assert same(frozen(model), frozen(make_tiny_model()))


def test_loss_is_the_mean_over_all_samples_and_falls(digits: tuple[Tensor, Tensor]) -> None:
    still = replace(PARAMS, epochs=1, learning_rate=0.0, batch_size=100)
    model = make_tiny_model()
    (epoch,) = train(model, *digits, still, seed=7)
    images, labels = digits
    expected = torch.nn.functional.cross_entropy(model(images.float() / 255), labels.long())
    assert epoch.loss == pytest.approx(expected.item(), rel=1e-5)

    losses = [epoch.loss for epoch in train(model, *digits, PARAMS, seed=7)]
    assert losses == sorted(losses, reverse=True)


def test_seed_decides_the_order_of_batches(digits: tuple[Tensor, Tensor]) -> None:
    def trained(seed: int) -> dict[str, Tensor]:
        model = make_tiny_model()
        for _ in train(model, *digits, replace(PARAMS, epochs=1), seed=seed):
            pass
        return frozen(model)

    assert same(trained(7), trained(7))
    assert not same(trained(7), trained(8))


def test_the_network_ends_in_train_mode_even_if_measured_in_between(
    digits: tuple[Tensor, Tensor],
) -> None:
    model = make_tiny_model()
    states = []
    for _ in train(model, *digits, replace(PARAMS, epochs=2), seed=7):
        states.append(frozen(model)["extractor.1.running_mean"])
        model.eval()
    assert not torch.equal(*states)


@pytest.mark.parametrize("model", MODELS)
def test_originals_are_trained_at_the_published_settings(model: str) -> None:
    params = ORIGINAL["mnist", model]
    assert (params.epochs, params.learning_rate, params.weight_decay) == (10, 0.01, 1e-4)
    assert (params.momentum, params.batch_size) == (0.9, 64)
