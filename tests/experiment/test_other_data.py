"""CIFAR-10 end to end on very few images, where the development data is at hand."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pru_demo.config import Pick, RunConfig, Scenario
from tests.experiment.conftest import shrink

if TYPE_CHECKING:
    from pru_demo.data.samples import Dataset

SHARED = Path(os.environ.get("PRU_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SHARED / "cifar10").is_dir(), reason="no CIFAR-10 on this machine"),
]


@pytest.fixture(scope="module")
def few_of_cifar10() -> Dataset:
    """800 training and 300 test images of the JPEG copy, balanced, each class in a colour.

    The colour is what so few steps can learn: without it, rounding decides whether an original has
    one answer only, which makes a failed run.
    """
    import torch

    from pru_demo.data import load_dataset

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRU_DATA_DIR", str(SHARED))
        load_dataset.cache_clear()
        whole = load_dataset("cifar10")
        load_dataset.cache_clear()

    def coloured(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        base_three = torch.stack([labels % 3, labels // 3 % 3, labels // 9], 1)
        return images // 4 + 90 * base_three[:, :, None, None].to(torch.uint8)

    def chosen(labels: torch.Tensor, each: int) -> torch.Tensor:
        return torch.cat([torch.nonzero(labels == c).flatten()[:each] for c in range(10)])

    train, test = chosen(whole.train_labels, 80), chosen(whole.test_labels, 30)
    return replace(
        whole,
        train_images=coloured(whole.train_images[train], whole.train_labels[train]),
        train_labels=whole.train_labels[train],
        test_images=coloured(whole.test_images[test], whole.test_labels[test]),
        test_labels=whole.test_labels[test],
    )


@pytest.mark.parametrize(
    ("model", "epochs", "learning_rate"),
    [("allcnn-small", 10, 0.05), ("resnet18", 2, 0.01), ("vit-small", 4, 0.02)],
)
def test_every_network_forgets_a_class_of_cifar10(
    model: str,
    epochs: int,
    learning_rate: float,
    few_of_cifar10: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pru_demo.experiment import material, originals
    from pru_demo.experiment.run import execute
    from pru_demo.parameters import TrainingParams
    from pru_demo.settings import OriginalSetting

    shrink(monkeypatch)
    for module in (originals, material):
        monkeypatch.setattr(module, "load_dataset", lambda _: few_of_cifar10)
    monkeypatch.setattr(
        originals,
        "original_setting",
        lambda *_: OriginalSetting(TrainingParams(epochs, learning_rate, 1e-4), "a test"),
    )
    monkeypatch.setattr(originals, "CHECKPOINTS", tmp_path / "none ship")
    scenario = Scenario("cifar10", model, (3, 5), forget_samples=24, relearn_epochs=2)
    events: list[dict[str, object]] = []
    result = execute(RunConfig(scenario, Pick("delete", "paper")), tmp_path, events.append)
    assert events[0] == {"training_original": 1}
    record = result.record
    assert record.failure is None
    assert record.snapshots[0].A_r > 25
    assert record.sizes["forget"] == 24
    assert [s.stage for s in record.snapshots] == [
        "original",
        *["unlearn"] * 2,
        *["relearn"] * 2,
    ]
    assert set(record.arrays["labels"][: len(record.arrays["labels"]) // 3]) <= {3, 5}
    assert result.features["features"].shape[0] == len(record.snapshots)
