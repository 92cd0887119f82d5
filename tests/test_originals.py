"""Shipped, kept or trained: the original of a trial is always the same network."""

from pathlib import Path
from typing import Any

import pytest
import torch

from pru_demo.config import Scenario
from pru_demo.data import DATASETS
from pru_demo.data.samples import Dataset, Samples, crop_and_flip
from pru_demo.experiment import originals
from pru_demo.experiment.originals import (
    checkpoint_name,
    import_checkpoint,
    obtain_original,
    own_checkpoint,
    train_original,
)
from pru_demo.models import build_model
from pru_demo.models.checkpoints import DamagedCheckpoint, read_checkpoint, save_checkpoint
from pru_demo.models.split import SplitModel
from pru_demo.parameters import TrainingParams
from pru_demo.settings import ORIGINALS, OriginalSetting
from pru_demo.training import TrainedEpoch
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
    monkeypatch.setitem(ORIGINALS, PAIR, OriginalSetting(TrainingParams(2, 0.01, 1e-4), "a test"))
    return tmp_path


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("model_name", ["allcnn", "allcnn-small"])
def test_the_shipped_originals_recognise_the_digits(
    mnist: Dataset, model_name: str, tmp_path: Path
) -> None:
    model = obtain_original(Scenario(model=model_name), tmp_path / "nothing here").cpu().eval()
    with torch.no_grad():
        answers = model(mnist.test_images[:500].float() / 255).argmax(1)
    assert (answers == mnist.test_labels[:500]).float().mean() > 0.97
    assert not (tmp_path / "nothing here").exists()


def test_a_missing_original_is_trained_once_and_kept(few_images: Path) -> None:
    epochs: list[int] = []

    def obtain() -> dict[str, torch.Tensor]:
        return frozen(
            obtain_original(Scenario(seed=5), few_images / "kept", lambda e: epochs.append(e.epoch))
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
    obtained = frozen(obtain_original(Scenario(seed=5), few_images))
    assert all(
        torch.equal(obtained[name], t.to(obtained[name].dtype)) for name, t in weights.items()
    )


def test_a_shipped_original_goes_before_a_kept_one(few_images: Path) -> None:
    (few_images / "shipped").mkdir()
    (few_images / "shipped" / NAME).write_bytes(b"damaged")
    train_original(*PAIR, 5, few_images / "kept")
    with pytest.raises(DamagedCheckpoint, match="python -m pru_demo train --dataset mnist"):
        obtain_original(Scenario(seed=5), few_images / "kept")


@pytest.fixture
def own(few_images: Path) -> Path:
    """A network of one's own as a file, which is not the original of any trial."""
    path = few_images / "mine.safetensors"
    weights = build_model("allcnn-small", DATASETS["mnist"], seed=1234).state_dict()
    save_checkpoint(path, {name: t.contiguous() for name, t in weights.items()}, {"by": "me"})
    return path


def test_a_network_of_ones_own_is_found_by_its_content(own: Path) -> None:
    kept = own.parent / "kept"
    digest = import_checkpoint(own, *PAIR, kept)
    assert len(digest) == 64
    assert own_checkpoint(kept, digest).parent == kept
    own.unlink()
    obtained = obtain_original(Scenario(seed=5, original=digest), kept)
    assert same(frozen(obtained), frozen(build_model(PAIR[1], DATASETS["mnist"], seed=1234)))
    assert [path.name for path in kept.iterdir()] == [f"own-{digest}.safetensors"]


def test_an_own_network_that_is_not_kept_is_never_trained(few_images: Path) -> None:
    with pytest.raises(DamagedCheckpoint, match=r"Start the run again with --checkpoint"):
        obtain_original(Scenario(seed=5, original="0" * 64), few_images / "kept")
    assert not (few_images / "kept").exists()


@pytest.mark.parametrize("damage", ["another network", "text", "missing"])
def test_an_own_network_that_does_not_fit_is_refused_and_not_kept(own: Path, damage: str) -> None:
    kept, model = own.parent / "kept", PAIR[1]
    if damage == "another network":
        model = "allcnn"
    elif damage == "text":
        own.write_text("weights")
    else:
        own.unlink()
    with pytest.raises(DamagedCheckpoint, match=rf"must hold the weights of {model} for mnist"):
        import_checkpoint(own, "mnist", model, kept)
    assert not kept.exists()


@pytest.mark.parametrize("augment", [None, crop_and_flip], ids=["fixed", "augmented"])
def test_an_original_is_trained_with_the_transform_of_its_data(
    few_images: Path, monkeypatch: pytest.MonkeyPatch, augment: Any
) -> None:
    given: list[Samples] = []
    usual = originals.train
    monkeypatch.setattr(originals, "augment_of", lambda _: augment)
    monkeypatch.setattr(
        originals,
        "train",
        lambda net, data, *a, **k: given.append(data) or usual(net, data, *a, **k),
    )
    train_original(*PAIR, 5, few_images)
    assert [data.augment for data in given] == [augment]


def test_training_starts_from_pretrained_weights_once(
    few_images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    def start(name: str, network: SplitModel) -> None:
        started.append(name)

    def interrupt(epoch: TrainedEpoch) -> None:
        raise Interrupted

    monkeypatch.setattr(originals, "start_pretrained", start)
    with pytest.raises(Interrupted):
        train_original(*PAIR, 5, few_images, interrupt)
    assert started == ["allcnn-small"]
    # What was learned since is in the partial file; it must not be overwritten.
    train_original(*PAIR, 5, few_images)
    assert started == ["allcnn-small"]
