"""From a configuration to a record, on the shipped original."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pru_demo.config import Pick
from pru_demo.experiment.originals import obtain_original
from pru_demo.experiment.perceived import perceive
from pru_demo.experiment.record import RunResult
from pru_demo.experiment.run import execute, setting_of
from pru_demo.heartbeat import listening
from pru_demo.methods import METHODS
from pru_demo.methods.step import Step
from pru_demo.models.checkpoints import DamagedCheckpoint
from pru_demo.models.split import SplitModel, batch_norms
from pru_demo.parameters import PRUParams
from pru_demo.settings import PRESETS
from pru_demo.store.entry import decode, encode
from tests.experiment.conftest import FORGET_SAMPLES, config_of, with_variant

pytestmark = pytest.mark.usefixtures("shrunken")

RELEARNED = ["Relearning, epoch 1", "Relearning, epoch 2"]
LABELS = {
    "pru": [
        "Original",
        "Unlearning, epoch 1, E step",
        "Unlearning, epoch 1, C step",
        "Unlearning, epoch 2, E step",
        "Unlearning, epoch 2, C step",
        *RELEARNED,
    ],
    "boundary_shrink": ["Original", "Unlearning, epoch 1", "Unlearning, epoch 2", *RELEARNED],
    "retrain": ["Original", "Unlearning, epoch 1", *RELEARNED],
    "original": ["Original", *RELEARNED],
    "mask": ["Original", "Unlearning, epoch 1", *RELEARNED],
}
every_method = pytest.mark.parametrize("method", LABELS)


@every_method
def test_there_is_a_snapshot_of_every_moment(results: dict[str, RunResult], method: str) -> None:
    record = results[method].record
    assert [snapshot.label for snapshot in record.snapshots] == LABELS[method]
    assert record.unlearned == len(LABELS[method]) - 3
    assert len(record.relearning("A_f")) == len(record.relearning("A_r")) == 3


@every_method
def test_arrays_have_the_documented_shapes(results: dict[str, RunResult], method: str) -> None:
    t = len(LABELS[method])
    arrays = results[method].record.arrays
    controls = {"control_predicted": ((60,), "uint8"), "control_p_f": ((60,), "float16")}
    assert {name: (array.shape, array.dtype.name) for name, array in arrays.items()} == {
        "shown": ((60,), "int32"),
        "labels": ((60,), "uint8"),
        "predicted": ((t, 60), "uint8"),
        "p_f": ((t, 60), "float16"),
        "top": ((t, 60, 3), "uint8"),
        "p_top": ((t, 60, 3), "float16"),
        "destined": ((60,), "uint8"),
        "confusion": ((t, 10, 10), "int32"),
        "p_original": ((60, 10), "float16"),
        "p_unlearned": ((60, 10), "float16"),
        **controls,
    }
    features, control = (results[method].features[name] for name in ("features", "control"))
    assert (control.shape, control.dtype.name) == ((60, 48), "float16")
    assert (features.shape, features.dtype.name) == ((t, 60, 48), "float16")
    assert (arrays["confusion"].sum((1, 2)) == 60).all()
    assert np.bincount(arrays["labels"]).tolist() == [4] * 9 + [24]


@every_method
def test_accuracies_agree_with_the_predictions_shown(
    results: dict[str, RunResult], method: str
) -> None:
    record = results[method].record
    labels, forgotten = record.arrays["labels"], record.arrays["labels"] == 9
    for snapshot, predicted in zip(record.snapshots, record.arrays["predicted"], strict=True):
        hits = predicted == labels
        assert snapshot.A_f == pytest.approx(100 * hits[forgotten].mean())
        assert snapshot.A_r == pytest.approx(100 * hits[~forgotten].mean())


@every_method
def test_every_run_starts_from_the_same_original(
    results: dict[str, RunResult], method: str
) -> None:
    one, other = results["pru"], results[method]
    assert np.array_equal(one.features["features"][0], other.features["features"][0])
    assert one.record.snapshots[0].A_f == other.record.snapshots[0].A_f > 90
    assert np.array_equal(one.record.arrays["p_original"], other.record.arrays["p_original"])


@every_method
def test_control_is_reported_and_kept_weights_are_those_asked_for(
    results: dict[str, RunResult], method: str
) -> None:
    result = results[method]
    assert result.record.batch_norm_only is not None
    assert result.record.batch_norm_only.keys() == {"A_f", "A_r"}
    assert {name.partition("/")[0] for name in result.weights} == {"0", "1"}
    assert result.weights["0/classifier.weight"].shape == (10, 48)


def test_a_masked_network_is_silent_from_one_moment_to_the_next_and_sees_the_same(
    results: dict[str, RunResult],
) -> None:
    result = results["mask"]
    record, perceived = result.record, perceive(result.record, result.features)
    assert record.snapshots[0].A_f > 90
    assert record.relearning("A_f") == [0, 0, 0]
    assert (record.failure, record.forward_equivalents) == (None, 0)
    before, after = result.features["features"][:2]
    assert np.array_equal(before, after)
    assert perceived.moments[0] == perceived.moments[1]
    assert not perceived.moved[1].any()


def test_a_record_says_how_it_was_made(results: dict[str, RunResult]) -> None:
    record = results["pru"].record
    assert record.failure is None
    counts = dict(record.sizes)
    # An interpreter with torch in it takes more than 100 MB.
    assert counts.pop("peak_bytes") > 100_000_000
    assert counts == {"forget": FORGET_SAMPLES, "relearn": 128, "test": 60}
    assert record.params["epochs"] == 2
    assert record.made_with["device"].startswith("CPU")
    assert record.made_with.keys() == {"device", "torch", "precision", "made"}
    # Once for the targets; per epoch three passes for the E step, one for the C step.
    assert record.forward_equivalents == FORGET_SAMPLES * (1 + 2 * (3 + 1))
    assert results["original"].record.forward_equivalents == 0
    assert record.seconds.keys() == {"unlearn", "relearn", "total"}
    assert record.seconds["unlearn"] + record.seconds["relearn"] < record.seconds["total"]


def test_original_keeps_the_class_and_retrained_never_had_it(
    results: dict[str, RunResult],
) -> None:
    original, retrained = results["original"].record, results["retrain"].record
    assert original.snapshots[original.unlearned].A_f > 90
    assert np.array_equal(original.arrays["p_original"], original.arrays["p_unlearned"])
    assert retrained.relearning("A_f") == [0, 0, 0]


def test_epochs_come_from_the_preset() -> None:
    assert setting_of(config_of("pru", "paper")).params.epochs == 2  # type: ignore[union-attr]
    assert setting_of(config_of("retrain", "paper")).params.epochs == 1  # type: ignore[union-attr]
    full = setting_of(config_of("pru", "paper", preset="full"))
    assert PRESETS["full"].epochs is None
    assert full.params.epochs == 10  # type: ignore[union-attr]
    # A preset never makes a method longer than it is published.
    assert setting_of(config_of("unroll_of", "default")).params.epochs == 1  # type: ignore[union-attr]
    assert setting_of(config_of("original", "paper")).origin == "nothing to set"


def test_the_same_configuration_gives_identical_arrays(
    results: dict[str, RunResult], tmp_path: Path
) -> None:
    torch.manual_seed(12345)
    again, before = execute(config_of("pru", "tuned"), tmp_path), results["pru"]
    assert again.record.snapshots == before.record.snapshots
    for name, array in before.record.arrays.items():
        np.testing.assert_array_equal(again.record.arrays[name], array, err_msg=name)
    for name, features in before.features.items():
        np.testing.assert_array_equal(again.features[name], features)
    assert again.weights.keys() == before.weights.keys()
    for name, array in before.weights.items():
        np.testing.assert_array_equal(again.weights[name], array, err_msg=name)


def test_reports_count_towards_their_end(tmp_path: Path) -> None:
    reports: list[dict[str, Any]] = []
    result = execute(config_of("pru", "tuned"), tmp_path, reports.append)
    assert [(each["done"], each["of"]) for each in reports] == [(i, 7) for i in range(1, 8)]
    assert [each["snapshot"]["label"] for each in reports] == LABELS["pru"]
    last = result.record.snapshots[-1]
    assert reports[-1]["snapshot"]["A_f"] == last.A_f
    assert reports[1]["snapshot"]["losses"].keys() >= {"L_p"}


@every_method
def test_total_is_right_for_every_method(
    results: dict[str, RunResult], method: str, tmp_path: Path
) -> None:
    reports: list[dict[str, Any]] = []

    class Enough(Exception):
        pass

    def first_only(report: dict[str, Any]) -> None:
        reports.append(report)
        raise Enough

    with pytest.raises(Enough):
        execute(results[method].record.config, tmp_path, first_only)
    assert reports[0]["of"] == len(LABELS[method])


@pytest.mark.parametrize("patience", [1, 5, 12])
def test_a_raising_beat_stops_the_run_at_once(tmp_path: Path, patience: int) -> None:
    beats = 0

    class Stop(Exception):
        pass

    def beat() -> None:
        nonlocal beats
        beats += 1
        if beats >= patience:
            raise Stop

    with pytest.raises(Stop), listening(beat):
        execute(config_of("pru", "tuned"), tmp_path)
    assert beats == patience


def test_a_diverging_run_ends_in_a_record_of_its_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_variant(monkeypatch, "pru", PRUParams(1.0, 1.0, batch_size=2, lambda_s=100.0), "tested")
    reports: list[dict[str, Any]] = []
    result = execute(config_of("pru", "tested"), tmp_path, reports.append)
    record = result.record
    assert record.failure is not None
    assert record.failure.startswith("it")
    assert record.stage("relearn") == []
    assert record.batch_norm_only is None
    assert record.relearning("A_f") == [record.snapshots[-1].A_f]
    assert len(reports) == len(record.snapshots) < 7
    # It can be kept and shown like any other.
    entry = record.to_entry()
    assert decode(encode(entry.meta, entry.arrays)).meta["failure"] == record.failure


def broken(original: Any, forget: Any, params: Any) -> Iterator[Step]:
    """A method that ends in NaN, and knows it."""
    from copy import deepcopy

    model = deepcopy(original)
    with torch.no_grad():
        model.classifier.weight.fill_(float("nan"))
    yield Step(1, "all", model, 1, {"L_p": float("nan"), "L_o": float("inf"), "L_s": 0.5})
    raise AssertionError("a broken network must not go on")


def test_a_run_that_ends_in_nan_can_be_kept(
    results: dict[str, RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = replace(
        METHODS["boundary_shrink"], entry="tests.experiment.test_pipeline:broken", resumable=False
    )
    monkeypatch.setitem(METHODS, "boundary_shrink", entry)
    record = execute(config_of("boundary_shrink", "tuned"), tmp_path).record
    assert record.failure == "its outputs are no longer numbers"
    stored = record.to_entry()
    again = type(record).from_entry(decode(encode(stored.meta, stored.arrays)))
    assert again.failure == record.failure
    assert again.snapshots[-1].losses["L_s"] == 0.5


def test_without_batch_norm_there_is_no_control(
    results: dict[str, RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folded(*arguments: Any) -> SplitModel:
        """The original with each BatchNorm folded into the convolution before it."""
        model = obtain_original(*arguments).eval()
        for block in model.extractor.children():
            if isinstance(block, nn.Sequential):
                block[0] = fuse_conv_bn_eval(block[0], block[1])
                block[1] = nn.Identity()
        assert not list(batch_norms(model))
        return model

    monkeypatch.setattr("pru_demo.experiment.run.obtain_original", folded)
    result = execute(config_of("original", "paper"), tmp_path)
    record, usual = result.record, results["original"].record
    assert record.failure is None
    assert record.snapshots[0].A_f == usual.snapshots[0].A_f
    assert record.batch_norm_only is None
    assert record.arrays.keys() == usual.arrays.keys() - {"control_predicted", "control_p_f"}
    assert result.features.keys() == {"features"}
    assert perceive(record, result.features).control is None


def test_several_classes_are_forgotten_together(tmp_path: Path) -> None:
    record = execute(config_of("pru", "tuned", forget=(4, 9)), tmp_path).record
    labels = record.arrays["labels"]
    assert np.bincount(labels).tolist() == [4, 4, 4, 4, 12, 4, 4, 4, 4, 12]
    p_f = record.arrays["p_f"].astype(float)
    assert p_f.max() <= 1
    expected = record.arrays["p_original"].astype(float)[:, [4, 9]].sum(1)
    np.testing.assert_allclose(p_f[0], expected, atol=2e-3)


def test_a_damaged_original_is_refused_with_its_repair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pru_demo.experiment.originals.CHECKPOINTS", tmp_path)
    (tmp_path / "mnist-allcnn-small-seed7.safetensors").write_bytes(b"damaged")
    with pytest.raises(DamagedCheckpoint, match="python -m pru_demo train --dataset mnist"):
        execute(config_of("pru", "tuned"), tmp_path)


def test_picks_are_looked_up_in_the_registry(tmp_path: Path) -> None:
    config = replace(config_of("pru", "tuned"), pick=Pick("pru", "no such variant"))
    with pytest.raises(KeyError):
        execute(config, tmp_path)
