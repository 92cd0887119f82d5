"""``run``, ``measure``, ``sweep`` and ``precompute`` have their work done by a real engine."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pru_demo.cli import main
from pru_demo.cli import precompute as module
from pru_demo.cli.batch import Jobs
from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment.attack import USUAL
from pru_demo.experiment.keys import (
    attack_key,
    classic_key,
    inside_key,
    map_key,
    perceived_key,
    placed_key,
    run_key,
    shipped,
    weights_key,
)
from pru_demo.experiment.maps import KINDS
from pru_demo.experiment.record import RunRecord
from pru_demo.paths import RECORDS
from pru_demo.store import Store
from pru_demo.store.bundle import MANIFEST, Bundle
from tests.live_maps import put_live_maps

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (RECORDS / MANIFEST).exists(), reason="assets/records is not made yet"),
]

SMALL = ("--forget-samples", "16", "--relearn-epochs", "1", "--max-batch", "64")
SCENARIO = Scenario(forget=(3,), forget_samples=16, relearn_epochs=1, max_batch=64)


@pytest.fixture(autouse=True)
def store_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRU_STORE_DIR", str(tmp_path / "store"))
    monkeypatch.setenv("PRU_DEVICE", "cpu")
    return tmp_path / "store"


def summary_of(tmp_path: Path, *command: str) -> list[dict[str, Any]]:
    """The runs that a command writes."""
    file = tmp_path / "summary.json"
    assert main([*command, *SMALL, "--json", str(file)]) == 0
    runs: list[dict[str, Any]] = json.loads(file.read_text())["runs"]
    return runs


def test_run_computes_each_method_and_measure_and_sweep_use_what_is_stored(
    tmp_path: Path, store_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_live_maps(store_directory, SCENARIO, replace(SCENARIO, forget=(4,)))
    methods = ("--methods", "unroll_of:default,original")
    runs = summary_of(tmp_path, "run", "--forget", "3", *methods)
    assert [(run["method"], len(run["A_f"])) for run in runs] == [("unroll_of", 2), ("original", 2)]
    assert "unroll_of" in capsys.readouterr().out
    made = [run["made_with"]["made"] for run in runs]

    measured = summary_of(tmp_path, "measure", "--forget", "3", "--methods", "unroll_of:default")
    assert measured[0]["forget_set"]["A_f"] >= 0
    assert measured[0].keys() >= {"layers", "test_part", "features", "relearning"}
    assert measured[0]["against_retrain"] is None

    swept = summary_of(tmp_path, "sweep", "--forget", "3,4", "--methods", "unroll_of:default")
    assert [run["forget"] for run in swept] == [[3], [4]]
    assert swept[0]["made_with"]["made"] == made[0], "what is stored is not done again"
    assert "±" in capsys.readouterr().out
    (spread,) = json.loads((tmp_path / "summary.json").read_text())["spread"]
    aucs = [run["attacks"]["k_shot_auc"]["5"] for run in swept]
    assert (spread["method"], spread["runs"], spread["failed"]) == ("unroll_of", 2, 0)
    assert spread["k_shot_auc"]["5"]["mean"] == pytest.approx(sum(aucs) / 2)
    assert spread["k_shot_auc"]["5"]["lowest"] == min(aucs)


def test_a_job_that_fails_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRU_DATA_DIR", str(tmp_path / "nothing"))
    assert main(["run", "--dataset", "cifar10", *SMALL]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("pru_demo: The computation failed with")
    assert "Reference" in said


def test_leaving_cancels_what_is_not_finished(store_directory: Path) -> None:
    configs = [RunConfig(Scenario(forget=(c,)), Pick("pru", "paper")) for c in (3, 4)]
    with pytest.raises(KeyboardInterrupt), Jobs(store_directory) as jobs:
        started = iter(jobs.run(configs, again=True))
        # As Ctrl-C does while it follows the first one.
        jobs._follow = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
        next(started)
    with Jobs(store_directory) as later:
        assert [job.state for job in later._engine.jobs() if job.state != "cancelled"] == []


def test_precompute_makes_records_and_map_without_looking_at_the_bundled_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picks = (Pick("unroll_of", "default"), Pick("original", "paper"))
    runs = [RunConfig(SCENARIO, pick) for pick in picks]
    monkeypatch.setattr(module, "shipped_runs", lambda _: runs)
    # Two kinds of maps go through the same branch as all.
    assert module.KINDS == KINDS
    kinds = ("pca", "time")
    monkeypatch.setattr(module, "KINDS", kinds)
    left_out = tuple(
        f".{kind}.{what}" for kind in {*KINDS} - {*kinds} for what in ("map", "placed")
    )
    monkeypatch.setattr(
        module,
        "shipped",
        lambda run: {k: n for k, n in shipped(run).items() if not n.endswith(left_out)},
    )
    put_live_maps(tmp_path / "work", SCENARIO)
    work = Store(tmp_path / "work")
    with Jobs(work.directory, bundled=False) as jobs:
        made = list(module.precompute([SCENARIO], work, tmp_path / "records", jobs))
    assert made == runs
    bundle = Bundle(tmp_path / "records")
    makers = (run_key, weights_key, perceived_key, inside_key, classic_key)
    keys = {make(run) for make in makers for run in runs}
    keys |= {make(run, kind) for make in (map_key, placed_key) for kind in kinds for run in runs}
    keys |= {attack_key(run, attack) for attack in USUAL for run in runs}
    assert set(bundle.keys()) == keys
    snapshots = {len(RunRecord.from_entry(bundle.get(run_key(run))).snapshots) for run in runs}
    classic = {len(bundle.get(classic_key(run)).arrays) for run in runs}
    assert classic == snapshots
    assert all(bundle.get(key) is not None for key in keys)
