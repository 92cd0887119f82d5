"""Every method relearns from the same batches, and the control moves no weight."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from pru_demo.data.samples import Augment, Samples, crop_and_flip
from pru_demo.evaluation import relearning
from pru_demo.evaluation.relearning import batch_norm_only, relearn
from pru_demo.heartbeat import listening
from pru_demo.models.split import SplitModel, batch_norms
from pru_demo.settings import RELEARNING
from tests.conftest import make_tiny_model
from tests.same import changed, frozen, same

Digits = tuple[Tensor, Tensor]


class Spy(SplitModel):
    """Remembers in one list for all copies what it was shown."""

    seen: ClassVar[list[Tensor]] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images.detach().clone())
        return super().forward(images)


@pytest.fixture
def others(few: Any) -> Digits:
    images, labels = few(15, tuple(range(9)))
    return images, labels


SHORT = replace(RELEARNING, epochs=2)


def test_relearning_takes_ten_epochs_as_published() -> None:
    assert RELEARNING.epochs == 10
    assert (RELEARNING.learning_rate, RELEARNING.weight_decay) == (1e-3, 1e-4)
    assert (RELEARNING.momentum, RELEARNING.batch_size) == (0.9, 64)


def test_ten_epochs_are_counted_from_one(tiny: SplitModel, others: Digits) -> None:
    assert [done.epoch for done in relearn(tiny, Samples(*others), seed=7)] == list(range(1, 11))


def test_argument_is_untouched(tiny: SplitModel, others: Digits) -> None:
    before = frozen(tiny)
    *_, last = relearn(tiny, Samples(*others), seed=7, settings=SHORT)
    control = batch_norm_only(tiny, Samples(*others), seed=7)
    assert not changed(before, tiny)
    assert not tiny.training
    assert last.model is not tiny
    assert control is not tiny


def test_batch_norm_only_changes_buffers_only(tiny: SplitModel, others: Digits) -> None:
    control = batch_norm_only(tiny, Samples(*others), seed=7)
    buffers = {name for name, _ in tiny.named_buffers()}
    assert changed(frozen(tiny), control) == buffers


def test_batch_norm_only_is_one_pass(tiny: SplitModel, others: Digits) -> None:
    (before,), (after,) = (
        batch_norms(m) for m in (tiny, batch_norm_only(tiny, Samples(*others), seed=7))
    )
    assert before.num_batches_tracked is not None
    assert after.num_batches_tracked is not None
    # 135 images in batches of 64
    assert int(after.num_batches_tracked - before.num_batches_tracked) == 3


def test_batch_norm_only_undoes_an_overwriting_of_the_statistics(
    tiny: SplitModel, few: Any
) -> None:
    images, labels = few(200, tuple(range(10)))
    x = images.float() / 255

    def accuracy(model: SplitModel) -> float:
        with torch.no_grad():
            return (model.eval()(x).argmax(1) == labels).float().mean().item()

    known = accuracy(tiny)
    for layer in batch_norms(tiny):
        assert layer.running_mean is not None
        assert layer.running_var is not None
        layer.running_mean += 3 * layer.running_var.sqrt()
    assert accuracy(tiny) < known / 2
    assert (
        accuracy(batch_norm_only(tiny, Samples(images, labels), seed=7, settings=SHORT))
        > 0.9 * known
    )


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("augment", [None, crop_and_flip], ids=["fixed", "augmented"])
def test_every_method_relearns_from_the_same_batches(
    others: Digits, augment: Augment | None
) -> None:
    def shown(model_seed: int, seed: int) -> list[Tensor]:
        torch.manual_seed(model_seed)
        tiny = make_tiny_model(model_seed)
        Spy.seen.clear()
        data = Samples(*others, augment)
        list(relearn(Spy(tiny.extractor, tiny.classifier), data, seed=seed, settings=SHORT))  # type: ignore[arg-type]
        return list(Spy.seen)

    one, other, another_seed = shown(1, 7), shown(2, 7), shown(1, 8)
    assert len(one) == 2 * 3
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not torch.equal(one[0], one[3])
    assert not torch.equal(one[0], another_seed[0])


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("augment", [None, crop_and_flip], ids=["fixed", "augmented"])
def test_control_sees_the_batches_of_the_first_relearning_epoch(
    others: Digits, augment: Augment | None
) -> None:
    tiny, data = make_tiny_model(), Samples(*others, augment)
    Spy.seen.clear()
    next(relearn(Spy(tiny.extractor, tiny.classifier), data, seed=7, settings=SHORT))  # type: ignore[arg-type]
    relearned = list(Spy.seen)
    Spy.seen.clear()
    batch_norm_only(Spy(tiny.extractor, tiny.classifier), data, seed=7, settings=SHORT)  # type: ignore[arg-type]
    assert len(relearned) == len(Spy.seen) == 3
    assert all(torch.equal(a, b) for a, b in zip(relearned, Spy.seen, strict=True))


def test_momentum_starts_anew_every_epoch(
    tiny: SplitModel, others: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    usual = relearning.sgd
    monkeypatch.setattr(relearning, "sgd", lambda *a: made.append(1) or usual(*a))
    list(relearn(tiny, Samples(*others), seed=7, settings=SHORT))
    assert len(made) == 2


def test_relearning_is_deterministic(tiny: SplitModel, others: Digits) -> None:
    def weights() -> dict[str, Tensor]:
        *_, last = relearn(tiny, Samples(*others), seed=7, settings=SHORT)
        return frozen(last.model)

    torch.manual_seed(1)
    one = weights()
    torch.manual_seed(2)
    assert same(one, weights())


@pytest.mark.parametrize("what", ["relearn", "control"])
def test_a_raising_listener_stops_at_once(tiny: SplitModel, others: Digits, what: str) -> None:
    beats = []

    def stop() -> None:
        beats.append(1)
        raise KeyboardInterrupt

    with listening(stop), pytest.raises(KeyboardInterrupt):
        if what == "relearn":
            list(relearn(tiny, Samples(*others), seed=7, settings=SHORT))
        else:
            batch_norm_only(tiny, Samples(*others), seed=7)
    assert len(beats) == 1


def test_frozen_batch_norm_keeps_its_statistics_however_the_caller_measures(
    tiny: SplitModel, others: Digits
) -> None:
    before = frozen(tiny)
    buffers = {name for name, _ in tiny.named_buffers()}
    for done in relearn(tiny, Samples(*others), seed=7, batch_norm="frozen"):
        assert changed(before, done.model) == set(before) - buffers
        done.model.eval()
        done.model.train()


@pytest.mark.parametrize(
    ("given", "used"), [({}, 1e-4), ({"settings": replace(RELEARNING, weight_decay=5e-4)}, 5e-4)]
)
def test_weight_decay_is_that_of_the_original_training(
    tiny: SplitModel,
    others: Digits,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, Any],
    used: float,
) -> None:
    settings = []
    usual = relearning.sgd
    monkeypatch.setattr(
        relearning, "sgd", lambda p, rate, each: settings.append(each) or usual(p, rate, each)
    )
    next(relearn(tiny, Samples(*others), seed=7, **given))
    assert settings == [replace(RELEARNING, weight_decay=used)]
