"""Weights go to disk and come back; what is damaged is named, with what to do."""

from pathlib import Path

import pytest
import torch
from torch import nn

from pru_demo.data import DATASETS
from pru_demo.models import build_model
from pru_demo.models.checkpoints import (
    DamagedCheckpoint,
    halved,
    load_weights,
    read_checkpoint,
    save_checkpoint,
)
from pru_demo.models.split import SplitModel
from tests.conftest import make_tiny_model
from tests.same import frozen, same

REPAIR = "Make it again with: make original"


@pytest.fixture
def path(tmp_path: Path, tiny: SplitModel) -> Path:
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, tiny.state_dict(), {"seed": 7, "curve": [0.5, 0.25]})
    return path


def test_weights_and_note_come_back(path: Path, tiny: SplitModel) -> None:
    weights, note = read_checkpoint(path, REPAIR)
    assert note == {"seed": 7, "curve": [0.5, 0.25]}
    model = make_tiny_model(seed=99)
    load_weights(model, weights, path.name, REPAIR)
    assert same(frozen(tiny), frozen(model))


def test_saving_leaves_no_other_file_behind_and_replaces_the_old_one(
    path: Path, tiny: SplitModel
) -> None:
    save_checkpoint(path, tiny.state_dict(), {"seed": 8})
    assert list(path.parent.iterdir()) == [path]
    assert read_checkpoint(path, REPAIR)[1] == {"seed": 8}


def test_an_interrupted_save_leaves_the_old_checkpoint(
    path: Path, tiny: SplitModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("pru_demo.files.os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(path, tiny.state_dict(), {"seed": 8})
    assert read_checkpoint(path, REPAIR)[1]["seed"] == 7


def test_equal_weights_give_equal_files(path: Path, tiny: SplitModel, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, tiny.state_dict(), {"curve": [0.5, 0.25], "seed": 7})
    assert path.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "pickle", "missing", "folder"])
def test_damaged_checkpoint_is_named_with_its_repair(path: Path, damage: str) -> None:
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage == "pickle":
        torch.save({"w": torch.zeros(2)}, path)
    elif damage != "missing":
        path.write_bytes({"truncated": content[:-7], "empty": b"", "text": b"<html>"}[damage])
    with pytest.raises(DamagedCheckpoint) as caught:
        read_checkpoint(path, REPAIR)
    assert str(caught.value) == f"Checkpoint tiny.safetensors cannot be read. {REPAIR}"


@pytest.mark.parametrize(
    "other",
    [
        make_tiny_model(classes=7),
        nn.Linear(3, 2),
        build_model("allcnn-small", DATASETS["mnist"], seed=0),
    ],
    ids=["other shape", "other names", "other network"],
)
def test_weights_of_another_network_are_refused_with_a_sentence(
    path: Path, other: nn.Module
) -> None:
    weights, _ = read_checkpoint(path, REPAIR)
    with pytest.raises(DamagedCheckpoint) as caught:
        load_weights(other, weights, path.name, REPAIR)
    assert str(caught.value) == f"tiny.safetensors does not fit this network. {REPAIR}"


def test_halving_keeps_batch_norm_and_biases_as_they_are(tiny: SplitModel) -> None:
    weights = tiny.state_dict()
    half = halved(weights)
    assert half.keys() == weights.keys()
    matrices = {name for name, tensor in half.items() if tensor.dtype == torch.float16}
    assert matrices == {"extractor.0.weight", "classifier.weight"}
    for name in half.keys() - matrices:
        assert half[name].dtype == weights[name].dtype
        assert torch.equal(half[name], weights[name])


def test_halving_copies(tiny: SplitModel) -> None:
    half = halved(tiny.state_dict())
    with torch.no_grad():
        for tensor in tiny.state_dict().values():
            tensor.zero_()
    assert half["extractor.1.weight"].abs().sum() > 0


def test_half_precision_loads_into_a_float32_network(tiny: SplitModel) -> None:
    model = make_tiny_model(seed=99)
    load_weights(model, halved(tiny.state_dict()), "x", REPAIR)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    x = torch.rand(4, 1, 28, 28)
    torch.testing.assert_close(model.eval()(x), tiny(x), rtol=0, atol=0.05)
