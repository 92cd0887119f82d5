"""What only Ray can get wrong: results that travel, resources that do not exist."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment.keys import features_key, run_key, unlearned_key, weights_key
from pru_demo.experiment.tasks import RUN
from pru_demo.jobs.client import Engine
from pru_demo.jobs.protocol import JobFailed
from pru_demo.paths import RECORDS
from pru_demo.store import Store
from pru_demo.store.bundle import MANIFEST

pytest.importorskip("ray", reason="requirements-cluster.txt is not installed")

PATIENCE = 300.0


@pytest.fixture(scope="module")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ray")


@pytest.fixture(scope="module")
def engine(engine_folder: Path) -> Iterator[Engine]:
    """Its actors look for a store elsewhere than the engine does, as on another machine."""
    folder = engine_folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRU_DEVICE", "cpu")
        patch.setenv("PRU_STORE_DIR", str(folder / "elsewhere"))
        options = ["--slots", "1", "--cluster", "local", "--store", str(folder / "store")]
        engine = Engine(folder / "home", options)
        yield engine
        engine.close()


@pytest.mark.slow
@pytest.mark.skipif(not (RECORDS / MANIFEST).exists(), reason="assets/records is not made yet")
def test_results_come_back_from_whatever_machine_computed_them(
    engine: Engine, engine_folder: Path
) -> None:
    scenario = Scenario(forget=(3,), forget_samples=16, relearn_epochs=1, max_batch=8)
    config = RunConfig(scenario, Pick("unroll_of", "default"))
    job = engine.submit(RUN, {"config": config.content()}, key=run_key(config))
    assert job.future.result(PATIENCE) == run_key(config)
    assert [event.data["done"] for event in job.events() if "done" in event.data] == [1, 2, 3]
    store = Store(engine_folder / "store")
    for key in (run_key, weights_key, features_key, unlearned_key):
        assert store.get(key(config)) is not None, key
    store.close()


def test_a_gpu_that_the_cluster_does_not_have_is_an_error_and_no_endless_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRU_DEVICE", "cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    engine = Engine(tmp_path / "home", ["--slots", "1", "--cluster", "local"])
    try:
        job = engine.submit("tests.jobs.tasks:pid", {}, key="gpu")
        with pytest.raises(JobFailed, match="needs 1 GPU and the cluster has 0"):
            job.future.result(PATIENCE)
    finally:
        engine.close()
