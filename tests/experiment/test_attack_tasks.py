"""Attacks that somebody asks for, as the engine's workers carry them out on stored runs."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from pru_demo.config import RunConfig
from pru_demo.experiment import attacked
from pru_demo.experiment.attack import ATTACKS, Attack
from pru_demo.experiment.keys import attack_key, derived, run_key, weights_key
from pru_demo.experiment.record import RunRecord, RunResult
from pru_demo.experiment.tasks import compute_attack, compute_run
from pru_demo.jobs.protocol import Cancelled
from pru_demo.store import Entry, Store
from tests.experiment.conftest import RELEARNING_EPOCHS, FakeContext, config_of, keep

PRU = config_of("pru", "tuned")
RETRAIN, ORIGINAL = config_of("retrain", "quick"), config_of("original", "paper")


@pytest.fixture
def kept(store: Store, results: dict[str, RunResult]) -> Store:
    """A store with a run of PRU and both references."""
    for method in ("pru", "retrain", "original"):
        keep(store, results[method])
    return store


def found(
    store: Store, attack: Attack, context: FakeContext | None = None, run: RunConfig = PRU
) -> Entry:
    key = compute_attack(context or FakeContext(), run.content(), asdict(attack))
    assert key == attack_key(run, attack)
    entry = store.get(key)
    assert entry is not None
    return entry


def test_relearning_at_the_usual_rate_is_the_relearning_of_the_record(
    kept: Store, results: dict[str, RunResult]
) -> None:
    again = RunRecord.from_entry(found(kept, Attack("others")), PRU)
    record = results["pru"].record
    assert again.snapshots[: again.unlearned + 1] == record.snapshots[: record.unlearned + 1]
    # It starts from kernels in halves.
    for name in ("A_f", "A_r"):
        assert again.relearning(name) == pytest.approx(record.relearning(name), abs=9)  # type: ignore[arg-type]
    assert again.arrays["predicted"].shape == record.arrays["predicted"].shape
    assert again.batch_norm_only is None
    assert again.arrays.keys() == {"shown", "labels", "predicted", "confusion"}


def test_from_images_of_the_class_more_of_it_is_learned_than_from_the_others_alone(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So few steps change no answer yet, but how probable each is.
    monkeypatch.setattr(attacked, "ARRAYS", (*attacked.ARRAYS, "p_f"))
    context = FakeContext()
    with_class = RunRecord.from_entry(found(kept, Attack("class", 50, 3), context, RETRAIN))
    without = RunRecord.from_entry(found(kept, Attack("others", rate=3), run=RETRAIN))
    assert len(with_class.relearning("A_f")) == RELEARNING_EPOCHS + 1
    with_, alone = (
        record.arrays["p_f"][-1][record.forgotten].mean(dtype=float)
        for record in (with_class, without)
    )
    assert with_ > 1.1 * alone
    shares = [report["share"] for report in context.reports]
    assert shares == [0, 0, 0.5, 1]


def test_a_rate_that_breaks_the_network_ends_in_a_record_that_says_so(kept: Store) -> None:
    broken = RunRecord.from_entry(found(kept, Attack("class", 5, rate=10**9)), PRU)
    assert broken.failure == "its outputs are no longer numbers"
    assert len(broken.relearning("A_f")) == 2


def test_a_new_row_finds_the_class_at_a_price(kept: Store, results: dict[str, RunResult]) -> None:
    entry = found(kept, Attack("last_layer", 5), run=RETRAIN)
    assert entry.arrays["predicted"].shape == (10, 60)
    assert entry.meta.keys() == {"A_f", "A_r"}
    record = results["retrain"].record
    labels, draws = record.arrays["labels"], entry.arrays["predicted"]
    for name, part in (("A_f", record.forgotten), ("A_r", ~record.forgotten)):
        hits = (draws == labels)[:, part]
        assert entry.meta[name] == pytest.approx((100 * hits.mean(1)).tolist())
    assert np.mean(entry.meta["A_f"]) > 50 > record.relearning("A_f")[0]
    assert np.mean(entry.meta["A_r"]) < record.relearning("A_r")[0]


def test_the_features_of_an_older_run_are_attacked_on_demand(
    store: Store, results: dict[str, RunResult]
) -> None:
    older = replace(results["pru"].record, attacks=None)
    keep(store, replace(results["pru"], record=older))
    attacks = found(store, Attack("features")).meta
    assert attacks.keys() == {"k_shot_auc", "shots_were_seen"}
    kept = store.get(run_key(PRU))
    assert kept is not None
    assert RunRecord.from_entry(kept, PRU).attacks is None, "a record is not rewritten"


def test_every_attack_has_a_key_of_its_own_that_goes_with_the_run(kept: Store) -> None:
    keys = {attack_key(PRU, attack) for attack in ATTACKS}
    assert len(keys) == len(ATTACKS) == 1 + 2 + 9 + 3
    assert keys <= set(derived(PRU))
    assert not keys & set(derived(ORIGINAL))


def test_a_run_computed_anew_has_not_been_attacked(kept: Store) -> None:
    found(kept, Attack("last_layer", 1))
    compute_run(FakeContext(), PRU.content(), again=True)
    assert kept.meta(attack_key(PRU, Attack("last_layer", 1))) is None


@pytest.mark.parametrize(
    "attack", [Attack("features"), Attack("class", 5), Attack("last_layer", 5)]
)
def test_a_run_whose_weights_are_gone_is_one_sentence(kept: Store, attack: Attack) -> None:
    kept.delete(weights_key(PRU))
    with pytest.raises(ValueError, match="weights of this run are no longer stored; run it again"):
        compute_attack(FakeContext(), PRU.content(), asdict(attack))


def test_a_network_that_unlearning_broke_is_not_attacked(
    store: Store, results: dict[str, RunResult]
) -> None:
    broken = replace(results["pru"].record, failure="it answers 3 whatever it sees")
    keep(store, replace(results["pru"], record=broken))
    with pytest.raises(ValueError, match=r"\(it answers 3 whatever it sees\): nothing to attack"):
        found(store, Attack("class", 5))


@pytest.mark.parametrize("kind", ["class", "last_layer"])
def test_more_images_than_there_are_is_one_sentence(kept: Store, kind: str) -> None:
    with pytest.raises(ValueError, match="not possible: it takes 999 new images of the class"):
        found(kept, Attack(kind, 999))  # type: ignore[arg-type]


@pytest.mark.parametrize("attack", [Attack("class", 5), Attack("last_layer", 5)])
def test_cancelling_ends_it_and_stores_nothing(kept: Store, attack: Attack) -> None:
    with pytest.raises(Cancelled):
        found(kept, attack, FakeContext(patience=1))
    assert kept.meta(attack_key(PRU, attack)) is None
