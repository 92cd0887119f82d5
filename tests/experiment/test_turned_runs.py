"""Runs that were turned by hand, really executed: on one map, in one summary, told apart."""

import json
from dataclasses import replace

import numpy as np

from pru_demo.config import RunConfig
from pru_demo.experiment import keys
from pru_demo.experiment.tasks import compute_map
from pru_demo.knobs import Value
from pru_demo.store import Store
from tests.experiment.conftest import EPOCHS, FakeContext, config_of, run_into

PLAIN = config_of("pru", "tuned", relearn_epochs=1)


def by_hand(**changes: Value) -> RunConfig:
    pick = replace(PLAIN.pick, changes=tuple(sorted(changes.items())))
    return replace(PLAIN, pick=pick)


def test_a_turned_run_does_what_it_says(store: Store) -> None:
    longer = by_hand(epochs=EPOCHS + 1, learning_rate_E=0.0, c_step_updates="extractor")
    record = run_into(store, longer)
    assert record.config == longer
    assert (record.params["epochs"], record.params["learning_rate_E"]) == (EPOCHS + 1, 0.0)
    assert [s.label for s in record.snapshots if s.stage == "unlearn"][-1] == (
        f"Unlearning, epoch {EPOCHS + 1}, C step"
    )
    summary = json.loads(json.dumps(record.summary()))
    assert summary["changes"] == {
        "epochs": EPOCHS + 1,
        "learning_rate_E": 0,
        "c_step_updates": "extractor",
    }
    assert summary["params"].items() >= summary["changes"].items()
    assert store.get(keys.run_key(PLAIN)) is None


def test_without_losses_and_rate_only_batch_norm_moves(store: Store) -> None:
    still = by_hand(lambda_p=0.0, lambda_o=0.0, lambda_s=0.0, learning_rate_C=0.0, epochs=1)
    original = config_of("original", "paper", relearn_epochs=1)
    weights = []
    for run in (still, original):
        run_into(store, run)
        entry = store.get(keys.weights_key(run))
        assert entry is not None
        weights.append({k: v for k, v in entry.arrays.items() if k.startswith("0/")})
    moved = {
        name for name, array in weights[0].items() if not np.array_equal(array, weights[1][name])
    }
    assert moved
    assert all("running" in name or "batches" in name for name in moved)


def test_two_of_one_variant_lie_on_one_map_under_names_of_their_own(store: Store) -> None:
    runs = [by_hand(lambda_s=1.0, epochs=1), by_hand(lambda_s=2.0, epochs=1)]
    for run in runs:
        run_into(store, run)
    compute_map(FakeContext(), [run.content() for run in runs], "pca")
    placed = [store.get(keys.placed_key(run, "pca")) for run in runs]
    assert all(entry is not None for entry in placed)
    assert {tuple(entry.meta["fitted_on"]) for entry in placed if entry} == {
        ("pru:tuned+epochs=1+lambda_s=1", "pru:tuned+epochs=1+lambda_s=2")
    }
