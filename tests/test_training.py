"""Training that was interrupted ends where it would have ended."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pru_demo.data.samples import Samples, crop_and_flip
from pru_demo.models.split import SplitModel, batch_norms
from pru_demo.parameters import TrainingParams
from pru_demo.settings import original_setting
from pru_demo.training import descend, sgd, train, train_epoch
from tests.conftest import make_tiny_model
from tests.same import changed, frozen, same

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
    for _ in train(whole, Samples(*digits), PARAMS, seed=7):
        pass

    interrupted = make_tiny_model()
    for epoch in train(interrupted, Samples(*digits), PARAMS, seed=7):
        if epoch.epoch == stop:
            state = {name: tensor.clone() for name, tensor in epoch.state.items()}
            break
    resumed = deepcopy(interrupted)
    epochs = [
        epoch.epoch
        for epoch in train(resumed, Samples(*digits), PARAMS, seed=7, done_epochs=stop, state=state)
    ]
    assert epochs == list(range(stop + 1, 5))
    assert same(frozen(whole), frozen(resumed))

    # The momentum matters: without it the result would differ.
    for _ in train(interrupted, Samples(*digits), PARAMS, seed=7, done_epochs=stop):
        pass
    assert not same(frozen(whole), frozen(interrupted))


def test_a_finished_training_takes_no_further_epoch(digits: tuple[Tensor, Tensor]) -> None:
    model = make_tiny_model()
    assert list(train(model, Samples(*digits), PARAMS, seed=7, done_epochs=4)) == []
    assert same(frozen(model), frozen(make_tiny_model()))


def test_loss_is_the_mean_over_all_samples_and_falls(digits: tuple[Tensor, Tensor]) -> None:
    still = replace(PARAMS, epochs=1, learning_rate=0.0, batch_size=100)
    model = make_tiny_model()
    (epoch,) = train(model, Samples(*digits), still, seed=7)
    images, labels = digits
    expected = torch.nn.functional.cross_entropy(model(images.float() / 255), labels.long())
    assert epoch.loss == pytest.approx(expected.item(), rel=1e-5)

    losses = [epoch.loss for epoch in train(model, Samples(*digits), PARAMS, seed=7)]
    assert losses == sorted(losses, reverse=True)


def test_seed_decides_the_order_of_batches(digits: tuple[Tensor, Tensor]) -> None:
    def trained(seed: int) -> dict[str, Tensor]:
        model = make_tiny_model()
        for _ in train(model, Samples(*digits), replace(PARAMS, epochs=1), seed=seed):
            pass
        return frozen(model)

    assert same(trained(7), trained(7))
    assert not same(trained(7), trained(8))


def test_the_network_ends_in_train_mode_even_if_measured_in_between(
    digits: tuple[Tensor, Tensor],
) -> None:
    model = make_tiny_model()
    states = []
    for _ in train(model, Samples(*digits), replace(PARAMS, epochs=2), seed=7):
        states.append(frozen(model)["extractor.1.running_mean"])
        model.eval()
    assert not torch.equal(*states)


@pytest.mark.parametrize("model", ["allcnn", "allcnn-small"])
def test_originals_are_trained_at_the_published_settings(model: str) -> None:
    params = original_setting("mnist", model).params
    assert (params.epochs, params.learning_rate, params.weight_decay) == (10, 0.01, 1e-4)
    assert (params.momentum, params.batch_size) == (0.9, 64)


def test_resumed_training_sees_the_same_crops(digits: tuple[Tensor, Tensor]) -> None:
    data = Samples(*digits, crop_and_flip)
    whole, stopped = make_tiny_model(), make_tiny_model()
    for _ in train(whole, data, PARAMS, seed=7):
        pass
    first, *_ = (
        {name: tensor.clone() for name, tensor in epoch.state.items()}
        for epoch in train(stopped, data, replace(PARAMS, epochs=1), seed=7)
    )
    for _ in train(stopped, data, PARAMS, seed=7, done_epochs=1, state=first):
        pass
    assert same(frozen(whole), frozen(stopped))

    plain = make_tiny_model()
    for _ in train(plain, Samples(*digits), PARAMS, seed=7):
        pass
    assert not same(frozen(whole), frozen(plain))


def test_weights_that_the_network_does_not_use_stay_and_have_no_momentum(
    digits: tuple[Tensor, Tensor],
) -> None:
    model = make_tiny_model()
    model.add_module("unused", nn.Linear(3, 2))
    before = frozen(model)
    for epoch in train(model, Samples(*digits), replace(PARAMS, epochs=1), seed=7):
        state = {name: tensor.clone() for name, tensor in epoch.state.items()}
    moving = {name[2:] for name in state if name.startswith("v.")}
    assert moving == {name for name, _ in make_tiny_model().named_parameters()}
    for _ in train(model, Samples(*digits), PARAMS, seed=7, done_epochs=1, state=state):
        pass
    assert changed(before, model) == set(before) - {"unused.weight", "unused.bias"}


@pytest.mark.parametrize("mode", ["train", "frozen"])
def test_frozen_batch_norm_keeps_its_statistics_while_weights_learn(
    digits: tuple[Tensor, Tensor], mode: Any
) -> None:
    model = make_tiny_model()
    before = frozen(model)
    optimizer = sgd(model.parameters(), PARAMS.learning_rate, PARAMS)
    generator = torch.Generator().manual_seed(7)
    train_epoch(model, optimizer, Samples(*digits), 32, generator, batch_norm=mode)
    buffers = {name for name, _ in model.named_buffers()}
    assert changed(before, model) == set(before) - (buffers if mode == "frozen" else set())
    assert model.training
    assert [layer.training for layer in batch_norms(model)] == [mode == "train"]


def test_descending_forgets_older_gradients(
    tiny: SplitModel, digits: tuple[Tensor, Tensor]
) -> None:
    x = digits[0] / 255
    before = frozen(tiny)
    (expected,) = torch.autograd.grad(tiny(x).sum(), [tiny.classifier.weight])
    tiny.classifier.weight.grad = torch.full_like(tiny.classifier.weight, 1000.0)
    descend(torch.optim.SGD(tiny.parameters(), lr=0.5), tiny(x).sum())
    moved = before["classifier.weight"] - tiny.classifier.weight
    torch.testing.assert_close(moved, 0.5 * expected, rtol=0, atol=1e-4)
