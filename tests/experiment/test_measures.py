"""The finer instruments on real, tiny runs."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment import tasks
from pru_demo.experiment.keys import inside_key, measures_key, weights_key
from pru_demo.experiment.record import KEPT_EPOCHS
from pru_demo.jobs.protocol import Cancelled
from pru_demo.methods import METHODS
from pru_demo.methods.step import Step
from pru_demo.paths import RECORDS
from pru_demo.store import Store
from tests.experiment.conftest import FakeContext, config_of, keep, run_into, shrink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pru_demo.experiment.record import RunResult
    from pru_demo.methods.step import ForgetSet
    from pru_demo.models.split import SplitModel
    from pru_demo.parameters import Params


@pytest.fixture(autouse=True)
def _small_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pru_demo.experiment.measures.PROBE_IMAGES", 200)


def measure_into(
    store: Store, run: RunConfig, context: FakeContext | None = None
) -> dict[str, Any]:
    """Measure a stored run; all that there is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "worker_store", lambda: store)
        key = tasks.compute_measures(context or FakeContext(), run.content())
    shown, rest = store.meta(inside_key(run)), store.meta(key)
    assert key == measures_key(run)
    assert shown is not None
    assert rest is not None
    return {**shown, **rest}


@pytest.fixture
def original(store: Store, results: dict[str, RunResult]) -> RunConfig:
    """The original, in a store without Retrain."""
    return keep(store, results["original"])


@pytest.fixture(scope="module")
def compared(
    results: dict[str, RunResult], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store with the original, PRU, and Retrain to compare them to."""
    store = Store(tmp_path_factory.mktemp("compared") / "store")
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        for name in ("original", "pru"):
            keep(store, results[name])
        run_into(store, config_of("retrain", "paper"))
    yield store
    store.close()


@pytest.fixture
def measured(compared: Store, shrunken: None) -> dict[str, dict[str, Any]]:
    """Original, Retrain and PRU."""
    runs = {
        "original": config_of("original", "paper"),
        "retrain": config_of("retrain", "paper"),
        "pru": config_of("pru", "tuned"),
    }
    return {name: measure_into(compared, run) for name, run in runs.items()}


@pytest.mark.slow
def test_what_is_known_of_the_references_comes_out(
    measured: dict[str, dict[str, Any]], results: dict[str, RunResult]
) -> None:
    original, retrain, pru = (measured[name] for name in ("original", "retrain", "pru"))
    # The original is itself: no layer moved, and its features are its own.
    assert {block["relative"] for block in original["layers"]["blocks"]} == {0.0}
    assert {each["mean"] for each in original["layers"]["batch_norm"]} == {0.0}
    assert original["features"]["0"]["cka_to_original"] == pytest.approx(1)
    assert original["forget_set"]["A_f"] > 95
    for layer in original["layers"]["cka_to_original"]:
        assert (layer["all"], layer["forgotten"]) == pytest.approx((1, 1)), layer["name"]
    # On the way from the original to itself nothing changes.
    line = original["weights"]["straight_line"]
    assert [point["share"] for point in line] == pytest.approx([i / 10 for i in range(11)])
    assert len({(point["A_f"], point["A_r"]) for point in line}) == 1
    # On that to PRU the first is the original, and the last is what eight bits hardly change.
    way, bits = pru["weights"]["straight_line"], pru["weights"]["bits"]
    assert {**way[0], "share": 1.0} == {**line[-1], "share": 1.0}
    assert bits.keys() == {"8", "4", "2"}
    assert bits["8"]["A_r"] == pytest.approx(way[-1]["A_r"], abs=6)
    # By layer it ends where the features as a whole are attacked, in every run's record.
    for name in ("original", "pru"):
        layers, attacks = measured[name]["layers"], results[name].record.attacks
        known = {layer["name"]: layer["mean"] for layer in layers["k_shot_auc"]}
        assert list(known) == [layer["name"] for layer in layers["cka_to_original"]]
        assert attacks is not None
        # The kernels were stored in halves.
        recorded = attacks["k_shot_auc"]["5"]["mean"]
        assert known["features"] == pytest.approx(recorded, abs=2e-3)
    # Retrain is as far from itself as nothing.
    assert retrain["against_retrain"]["JS"] == pytest.approx(0, abs=1e-9)
    assert retrain["against_retrain"]["agreement"] == 1
    assert retrain["features"]["0"]["cka_to_retrained"] == pytest.approx(1)
    for layer in retrain["layers"]["cka_to_retrained"]:
        assert (layer["all"], layer["forgotten"]) == pytest.approx((1, 1)), layer["name"]
    # How alike two networks are does not depend on which of them is asked about.
    assert original["layers"]["cka_to_retrained"] == [
        pytest.approx(layer) for layer in retrain["layers"]["cka_to_original"]
    ]
    # Layer by layer it ends where the features as a whole are compared.
    last = {layer["name"]: layer["all"] for layer in pru["layers"]["cka_to_original"]}
    assert last["features"] == pytest.approx(pru["features"]["0"]["cka_to_original"], abs=1e-3)
    # The forgotten images alone are further apart than all of them.
    assert all(layer["forgotten"] < layer["all"] for layer in pru["layers"]["cka_to_original"][-3:])
    # PRU moved every block, and a new classifier still finds some of the nines.
    assert all(block["relative"] > 1e-3 for block in pru["layers"]["blocks"])
    assert len(pru["layers"]["blocks"]) == 9
    assert pru["features"]["0"]["linear_probe"]["A_f"] > 20
    assert 0 < pru["against_retrain"]["JS"] <= 0.6932
    for measures in measured.values():
        assert 0 <= measures["test_part"]["p_f"]["mean"] <= 1
        assert 0 <= measures["test_part"]["ZRF"] <= 1
        assert len(measures["relearning"]["batch_norm_frozen"]["A_f"]) == 2
        n_dist = measures["features"]["0"]["n_dist"]
        assert sum(n_dist) / len(n_dist) == pytest.approx(1, abs=1e-3)


def test_a_masked_network_is_found_out_by_what_looks_below_the_last_layer(
    compared: Store, shrunken: None, results: dict[str, RunResult]
) -> None:
    """The planted case: it answers as the masked original does, and perceives as the original."""
    run = keep(compared, results["mask"])
    mask = measure_into(compared, run)
    original, pru = (
        measure_into(compared, config_of(*pick))
        for pick in (("original", "paper"), ("pru", "tuned"))
    )
    # Weights are stored in half precision.
    assert mask["ou_epsilon"] == {"epsilon": 0.03, "JS": pytest.approx(0, abs=1e-4)}
    assert pru["ou_epsilon"]["JS"] > 10 * mask["ou_epsilon"]["JS"]
    # It calls most neighbours nines, which is as far from the masked answers as it gets.
    assert 0.5 < original["ou_epsilon"]["JS"] < math.log(2)
    moved = {block["name"]: block["relative"] for block in mask["layers"]["blocks"]}
    assert moved.pop("classifier") > 0.1
    assert set(moved.values()) == {0.0}
    probes = [each["features"]["0"]["linear_probe"] for each in (mask, original)]
    assert probes[0] == probes[1]
    assert mask["relearning"]["comeback"]["maximum"] == 0


def test_what_pages_show_is_measured_without_the_rest(
    compared: Store, shrunken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("no page shows that")

    monkeypatch.setattr("pru_demo.experiment.measures.measure", never)
    monkeypatch.setattr("pru_demo.evaluation.relearning.relearn", never)
    monkeypatch.setattr(tasks, "worker_store", lambda: compared)
    run = config_of("pru", "tuned")
    assert tasks.compute_inside(FakeContext(), run.content()) == inside_key(run)
    shown = compared.meta(inside_key(run))
    assert shown is not None
    assert shown.keys() == {"forget_set", "layers"}
    assert shown["layers"]["cka_to_retrained"] is not None


@pytest.mark.slow
def test_bundled_runs_can_be_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pru_demo.experiment.measures._frozen", lambda *_: None)
    store = Store(tmp_path / "store", RECORDS)
    run = RunConfig(Scenario(), Pick("boundary_shrink", "tuned"))
    shipped = store.meta(inside_key(run))
    assert shipped is not None
    measures = measure_into(store, run)
    # The same members in the same order as when it was made.
    membership = pytest.approx(shipped["forget_set"]["membership"], abs=1e-3)
    assert measures["forget_set"]["membership"] == membership
    assert set(measures["features"]) == {str(epoch) for epoch in KEPT_EPOCHS}
    # Retrain is bundled too, so the distance to it is known.
    assert measures["against_retrain"]["D_KL"] > 1
    store.close()


@pytest.mark.parametrize("task", [tasks.compute_inside, tasks.compute_measures])
def test_a_run_whose_weights_are_gone_is_one_sentence(
    store: Store, original: RunConfig, task: Callable[..., str]
) -> None:
    store.delete(weights_key(original))
    with pytest.raises(ValueError, match="weights of this run are no longer stored"):
        task(FakeContext(), original.content())


def test_without_retrain_what_needs_it_is_not_computed(store: Store, original: RunConfig) -> None:
    context = FakeContext()
    measures = measure_into(store, original, context)
    assert measures["against_retrain"] is None
    assert measures["features"]["0"]["cka_to_retrained"] is None
    assert measures["layers"]["cka_to_retrained"] is None
    # Meanwhile it tells what it does and how much is done.
    shares = [report["share"] for report in context.reports]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] < 1
    assert len({report["message"] for report in context.reports}) >= 4


@pytest.mark.parametrize("task", [tasks.compute_inside, tasks.compute_measures])
def test_cancelling_ends_it_and_stores_nothing(
    store: Store, original: RunConfig, task: Callable[..., str]
) -> None:
    class Impatient(FakeContext):
        def cancelled(self) -> bool:
            return len(self.reports) > 1

    with pytest.raises(Cancelled):
        task(Impatient(), original.content())
    assert store.meta(inside_key(original)) is None
    assert store.meta(measures_key(original)) is None


def shattered(original: SplitModel, forget: ForgetSet, params: Params) -> Iterator[Step]:
    """A method that leaves no number a number."""
    model = deepcopy(original)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(torch.nan)
    yield Step(1, "all", model, 1)


def test_two_images_are_too_few_to_attack_with_and_enough_for_all_else(store: Store) -> None:
    run = config_of("original", "paper", forget_samples=2)
    run_into(store, run)
    measures = measure_into(store, run)
    forget_set = measures["forget_set"]
    assert forget_set["membership"] is None
    assert forget_set["no_membership"] == (
        "it takes 5 images of each kind, and there are only 2 of one"
    )
    assert forget_set["A_f"] == 100
    assert len(measures["layers"]["blocks"]) == 9
    assert measures["features"]["0"]["linear_probe"]["A_f"] > 20


def test_of_a_network_that_broke_what_can_be_measured_is(
    compared: Store, shrunken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = replace(METHODS["boundary_shrink"], entry=f"{__name__}:shattered", resumable=False)
    monkeypatch.setitem(METHODS, "boundary_shrink", entry)
    run = config_of("boundary_shrink", "tuned")
    run_into(compared, run)
    measures = measure_into(compared, run)
    assert measures["forget_set"] == {
        "A_f": None,
        "membership": None,
        "no_membership": "the losses of this network are no numbers",
    }
    assert {block["relative"] for block in measures["layers"]["blocks"]} == {None}
    # The statistics were not touched.
    assert {norm["mean"] for norm in measures["layers"]["batch_norm"]} == {0.0}
    for layer in measures["layers"]["cka_to_original"]:
        assert (layer["all"], layer["forgotten"]) == (None, None), layer["name"]
    assert set(measures["features"]["0"].values()) == {None}
    assert set(measures["test_part"].values()) == {None}
    assert measures["ou_epsilon"] == {"epsilon": 0.03, "JS": None}
    assert set(measures["weights"].values()) == {None}
    assert {layer["mean"] for layer in measures["layers"]["k_shot_auc"]} == {None}
    assert set(measures["relearning"]["comeback"].values()) == {None}
    # Not None as a whole, which would say that Retrain is missing.
    assert set(measures["against_retrain"].values()) == {None}


def test_members_were_trained_on_although_new_images_were_given(
    store: Store, original: RunConfig
) -> None:
    attacks = []
    for run in (original, config_of("original", "paper", given="D_f_new")):
        run_into(store, run)
        shown = store.meta(tasks.compute_inside(FakeContext(), run.content()))
        assert shown is not None
        attacks.append(shown["forget_set"]["membership"])
    assert attacks[0] == attacks[1] is not None


def test_without_batch_norm_nothing_is_relearned_with_it_frozen(
    store: Store, original: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pru_demo.experiment.measures.has_batch_norm", lambda _: False)
    # Nine images have no ten neighbours.
    monkeypatch.setattr("pru_demo.evaluation.probing.NEIGHBOURS", 201)
    measures = measure_into(store, original)
    assert measures["relearning"]["batch_norm_frozen"] is None
    features = measures["features"]["0"]
    assert features["knn_probe"] is None
    assert features["linear_probe"]["A_f"] > 20
