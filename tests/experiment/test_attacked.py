"""Attacks on the networks of real runs, in their records and from their stored weights."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pru_demo.experiment.attacked import attacks_on, with_attacks
from pru_demo.experiment.material import gather
from pru_demo.experiment.record import RunRecord, RunResult
from pru_demo.experiment.run import execute
from pru_demo.experiment.stored_networks import stored_network
from pru_demo.methods import METHODS
from pru_demo.methods.step import ForgetSet, Step
from pru_demo.models.split import SplitModel
from pru_demo.parameters import Params
from pru_demo.store import Entry
from tests.experiment.conftest import config_of


def auc(record: RunRecord, k: int) -> float:
    assert record.attacks is not None
    mean: float = record.attacks["k_shot_auc"][str(k)]["mean"]
    return mean


def test_every_run_is_attacked_and_the_original_knows_most(results: dict[str, RunResult]) -> None:
    for result in results.values():
        attacks = result.record.attacks
        assert attacks is not None
        assert attacks["k_shot_auc"].keys() == {"1", "5", "50"}
        assert not attacks["shots_were_seen"]
        assert 0.5 < auc(result.record, 5) <= auc(results["original"].record, 5)
    assert auc(results["original"].record, 5) > 0.99
    assert auc(results["retrain"].record, 5) < auc(results["original"].record, 5)


@pytest.mark.parametrize("method", ["pru", "original"])
def test_stored_weights_can_be_attacked_later(
    results: dict[str, RunResult], method: str, shrunken: None
) -> None:
    result = results[method]
    older = replace(result.record, attacks=None)
    attacked = with_attacks(older, Entry({}, result.weights))
    assert replace(attacked, attacks=None) == older
    for k in (1, 5, 50):
        # The kernels were stored in halves.
        assert auc(attacked, k) == pytest.approx(auc(result.record, k), abs=2e-3)


def covered(original: SplitModel, forget: ForgetSet, params: Params) -> Iterator[Step]:
    """The mask: what it sees of the class, its last layer never says."""
    model = deepcopy(original)
    with torch.no_grad():
        model.classifier.weight[9] = 0
        model.classifier.bias[9] = -20
    yield Step(1, "all", model, 1)


def test_the_mask_passes_relearning_and_is_found_out_by_its_features(
    results: dict[str, RunResult],
    shrunken: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = replace(METHODS["boundary_shrink"], entry=f"{__name__}:covered", resumable=False)
    monkeypatch.setitem(METHODS, "boundary_shrink", entry)
    masked = execute(config_of("boundary_shrink", "tuned"), tmp_path).record
    assert masked.relearning("A_f") == [0, 0, 0]
    assert masked.attacks == results["original"].record.attacks


def test_shuffled_features_say_nothing(shrunken: None, results: dict[str, RunResult]) -> None:
    config = results["original"].record.config
    material = gather(config.scenario)
    order = torch.randperm(len(material.test.images), generator=torch.Generator().manual_seed(0))
    shuffled = replace(material, test=replace(material.test, images=material.test.images[order]))
    network = stored_network(config.scenario, results["original"].weights, 0)
    for each in attacks_on(network, shuffled)["k_shot_auc"].values():
        # √((n + m + 1) / 12nm) ≈ 0.077 is the deviation of a guess on 24 and 36 samples.
        assert each["mean"] == pytest.approx(0.5, abs=0.16)


def test_a_network_that_broke_is_attacked_with_a_reason(
    results: dict[str, RunResult], shrunken: None
) -> None:
    config = results["original"].record.config
    broken = {
        name: np.full_like(each, np.nan) if each.dtype.kind == "f" else each
        for name, each in results["original"].weights.items()
    }
    attacked = with_attacks(results["original"].record, Entry({}, broken))
    assert attacked.config == config
    assert attacked.attacks is not None
    for each in attacked.attacks["k_shot_auc"].values():
        assert each == {
            "mean": None,
            "deviation": None,
            "reason": "the features of this network are no numbers",
        }
