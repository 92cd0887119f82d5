"""Shipped, kept or trained: the original of a trial is always the same network."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pru_demo import originals
from pru_demo.data.dataset import Dataset
from pru_demo.models.checkpoints import DamagedCheckpoint, read_checkpoint
from pru_demo.originals import checkpoint_name, obtain_original, train_original
from pru_demo.training import ORIGINAL, TrainedEpoch
from tests.same import frozen, same

PAIR = ("mnist", "allcnn-small")
NAME = "mnist-allcnn-small-seed5.safetensors"


class Interrupted(Exception):
    pass


@pytest.fixture
def few_images(
    mnist: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, one_thread: None
) -> Path:
    """200 images and two epochs instead of 60,000 and ten; no shipped checkpoints."""
    small = Dataset(
        mnist.train_images[:200],
        mnist.train_labels[:200],
        mnist.test_images[:50],
        mnist.test_labels[:50],
    )
    monkeypatch.setenv("PRU_DEVICE", "cpu")
    monkeypatch.setattr(originals, "load_dataset", lambda _: small)
    monkeypatch.setattr(originals, "CHECKPOINTS", tmp_path / "shipped")
    monkeypatch.setitem(ORIGINAL, PAIR, replace(ORIGINAL[PAIR], epochs=2))
    return tmp_path


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("model_name", ["allcnn", "allcnn-small"])
def test_the_shipped_originals_recognise_the_digits(
    mnist: Dataset, model_name: str, tmp_path: Path
) -> None:
    model = obtain_original("mnist", model_name, 7, tmp_path / "nothing here").cpu().eval()
    with torch.no_grad():
        answers = model(mnist.test_images[:500].float() / 255).argmax(1)
    assert (answers == mnist.test_labels[:500]).float().mean() > 0.97
    assert not (tmp_path / "nothing here").exists()


def test_a_missing_original_is_trained_once_and_kept(few_images: Path) -> None:
    epochs: list[int] = []

    def obtain() -> dict[str, torch.Tensor]:
        return frozen(
            obtain_original(*PAIR, 5, few_images / "kept", lambda e: epochs.append(e.epoch))
        )

    first = obtain()
    assert epochs == [1, 2]
    assert same(first, obtain())
    assert epochs == [1, 2]
    assert [path.name for path in (few_images / "kept").iterdir()] == [NAME]


def test_an_interrupted_training_resumes_to_the_same_checkpoint(few_images: Path) -> None:
    def interrupt(epoch: TrainedEpoch) -> None:
        raise Interrupted

    whole = train_original(*PAIR, 5, few_images / "whole")
    with pytest.raises(Interrupted):
        train_original(*PAIR, 5, few_images / "resumed", interrupt)
    assert not (few_images / "resumed" / NAME).exists()
    epochs: list[int] = []
    resumed = train_original(*PAIR, 5, few_images / "resumed", lambda e: epochs.append(e.epoch))
    assert epochs == [2]
    weights, note = read_checkpoint(resumed, "")
    expected, whole_note = read_checkpoint(whole, "")
    assert same(weights, expected)
    losses = [[epoch["loss"] for epoch in n["curve"]] for n in (note, whole_note)]
    assert losses[0] == losses[1]
    assert note["test_accuracy"] == whole_note["test_accuracy"]
    assert [path.name for path in (few_images / "resumed").iterdir()] == [NAME]


def test_a_trained_original_is_what_is_obtained_later(few_images: Path) -> None:
    path = train_original(*PAIR, 5, few_images)
    assert path.name == checkpoint_name(*PAIR, 5) == NAME
    weights, _ = read_checkpoint(path, "")
    obtained = frozen(obtain_original(*PAIR, 5, few_images))
    assert all(
        torch.equal(obtained[name], t.to(obtained[name].dtype)) for name, t in weights.items()
    )


def test_a_shipped_original_goes_before_a_kept_one(few_images: Path) -> None:
    (few_images / "shipped").mkdir()
    (few_images / "shipped" / NAME).write_bytes(b"damaged")
    train_original(*PAIR, 5, few_images / "kept")
    with pytest.raises(DamagedCheckpoint, match="python -m pru_demo train --dataset mnist"):
        obtain_original(*PAIR, 5, few_images / "kept")
