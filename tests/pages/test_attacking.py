"""Relearning as the place of attack: what is stored is shown, the rest is computed on a click."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.experiment.attack import Attack
from pru_demo.experiment.keys import attack_key, run_key
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.tasks import ATTACK
from pru_demo.links import View
from pru_demo.store import Store
from tests.figures.records import record_with
from tests.pages.conftest import UseStore
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import buttons, figures, go, new_session, problems, texts

VIEW = View(Scenario(relearn_epochs=2), Pick("pru", "paper"), Pick("boundary_shrink", "paper"))
A, B = VIEW.runs().values()
RETRAIN, ORIGINAL = (
    RunConfig(VIEW.scenario, Pick(method, "paper")) for method in ("retrain", "original")
)
EVERYONE = {A: 0.9969, B: 0.9998, RETRAIN: 0.986, ORIGINAL: 0.9997}
CLASS, LAST_LAYER = "Images of the class, too", "New last layer"


@pytest.fixture
def store(tmp_path: Path, use_store: UseStore) -> Iterator[Store]:
    """A, B and the references, attacked by their features only."""
    store = Store(tmp_path / "store")
    use_store(store)
    for run, auc in EVERYONE.items():
        attacks = {str(k): {"mean": auc, "deviation": 1e-4} for k in (1, 5, 50)}
        keep(store, run, {"k_shot_auc": attacks, "shots_were_seen": False})
    yield store
    store.close()


def record_of(run: RunConfig, a_f: list[float]) -> RunRecord:
    record = replace(record_with(a_f, run.pick.method, VIEW.scenario), config=run)
    moments = len(record.snapshots)
    predicted = np.tile(np.array([4, 4, 0, 1], np.uint8), (moments, 1))
    arrays = {
        **record.arrays,
        "predicted": predicted,
        "control_predicted": predicted[0],
        "shown": np.arange(4, dtype=np.int32),
    }
    return replace(record, arrays=arrays)


def keep(store: Store, run: RunConfig, attacks: dict[str, Any] | None) -> None:
    entry = replace(record_of(run, [0.0, 1.0, 2.0]), attacks=attacks).to_entry()
    store.put(run_key(run), entry.meta, entry.arrays)


def put(store: Store, run: RunConfig, attack: Attack, a_f: list[float]) -> None:
    """What a worker stores of an attack."""
    entry = record_of(run, a_f).before_relearning().to_entry()
    if attack.relearns:
        entry = replace(record_of(run, a_f), batch_norm_only=None).to_entry()
        store.put(attack_key(run, attack), entry.meta, entry.arrays)
    else:
        answers = np.tile(np.array([9, 4, 0, 1], np.uint8), (10, 1))
        meta = {"A_f": a_f * 5, "A_r": [90.0] * len(a_f) * 5}
        store.put(attack_key(run, attack), meta, {"predicted": answers})


def visit(**query: str) -> AppTest:
    return go(new_session(VIEW, **query), "relearning")


def choose(app: AppTest, kind: str) -> AppTest:
    app.segmented_control(key="attack").set_value(kind)
    return app.run()


def test_what_the_records_hold_is_shown_at_once(store: Store, engine: FakeEngine) -> None:
    app = visit()
    assert problems(app) == []
    assert len(figures(app)) == 3
    assert buttons(app, "attack.") == []
    for kind in ("BatchNorm only", "Other classes only"):
        choose(app, kind)
        assert problems(app) == []
        assert len(figures(app)) == 3
        assert buttons(app, "attack.") == []
    assert engine.submitted == []


def test_what_is_left_is_said_of_every_network(store: Store) -> None:
    said = texts(visit())
    assert "there are no others" not in said
    assert "**PRU (paper)**: AUC 0.9969, **39 % of the knowledge is left**" in said
    assert "**Boundary Shrink (paper)**: AUC 0.9998, **it knows as much as Original**" in said


def test_an_older_record_is_attacked_on_a_click(store: Store, engine: FakeEngine) -> None:
    keep(store, A, None)
    app = visit()
    assert "AUC 0.9969" not in texts(app)
    (button,) = buttons(app, "attack.")
    assert button.label == "Attack PRU (paper)"
    button.click().run()
    (job,) = engine.submitted
    assert (job.task, job.key) == (ATTACK, attack_key(A, Attack("features")))
    found = {"k_shot_auc": {str(k): {"mean": 0.99, "deviation": 0.0} for k in (1, 5, 50)}}
    store.put(job.key, {**found, "shots_were_seen": True}, {})
    job.end("done")
    app.run()
    assert "AUC 0.9900" in texts(app)
    assert "given to forget with: there are no others" in texts(app)
    assert buttons(app, "attack.") == []


def test_an_attack_that_nobody_asked_for_is_submitted_for_a_b_and_retrain(
    store: Store, engine: FakeEngine
) -> None:
    app = choose(visit(), CLASS)
    assert problems(app) == []
    assert len(figures(app)) == 1, "only what the features know"
    (button,) = buttons(app, "attack.")
    button.click().run()
    attack = Attack("class", 5)
    assert [job.key for job in engine.submitted] == [
        attack_key(run, attack) for run in (A, B, RETRAIN)
    ]
    assert engine.submitted[0].arguments == {
        "config": A.content(),
        "attack": {"kind": "class", "k": 5, "rate": 1},
    }


def test_what_is_finished_is_shown_and_retrain_is_par(store: Store, engine: FakeEngine) -> None:
    for run, a_f in ((A, [0.0, 20.0, 72.0]), (B, [1.0, 99.0, 99.0]), (RETRAIN, [0.0, 3.0, 5.0])):
        put(store, run, Attack("class", 5), a_f)
    app = choose(visit(), CLASS)
    said = texts(app)
    assert "After 2 epochs of relearning it is 72 %" in said
    assert "Par is **Retrain**, which never met one: from the same images it learns to" in said
    assert "recognise 5.0 %" in said
    assert len(figures(app)) == 3
    assert buttons(app, "attack.") == []
    app.segmented_control(key="shots").set_value("50").run()
    assert len(figures(app)) == 1
    app.segmented_control(key="shots").set_value("5").run()
    app.segmented_control(key="rate").set_value("×3").run()
    (button,) = buttons(app, "attack.")
    button.click().run()
    assert engine.submitted[0].key == attack_key(A, Attack("class", 5, 3))


def test_a_new_last_layer_is_shown_with_its_draws(store: Store) -> None:
    for run in EVERYONE:
        put(store, run, Attack("last_layer", 5), [100.0, 50.0])
    app = choose(visit(), LAST_LAYER)
    assert problems(app) == []
    assert len(figures(app)) == 3
    assert "75 % of the 9s are recognised (before: 0 %)" in texts(app)
    assert "10 of 10" in texts(app)


def test_an_attack_that_failed_is_explained_and_offered_again(
    store: Store, engine: FakeEngine
) -> None:
    app = choose(visit(), LAST_LAYER)
    buttons(app, "attack.")[0].click().run()
    for job in engine.submitted:
        job.fail("The weights of this run are no longer stored; run it again.", "ab12")
    app.run()
    assert app.error[0].value == (
        "PRU (paper) could not be attacked. The weights of this run are no longer stored; run it "
        "again. Reference ab12."
    )
    assert len(buttons(app, "attack.")) == 1


def test_a_network_that_unlearning_broke_is_not_offered(store: Store) -> None:
    broken = replace(record_of(A, [0.0]), failure="it answers 3 whatever it sees")
    entry = broken.to_entry()
    store.put(run_key(A), entry.meta, entry.arrays)
    app = choose(visit(), LAST_LAYER)
    assert "PRU" not in buttons(app, "attack.last_layer")[0].label


def test_the_choice_is_in_the_link(store: Store) -> None:
    put(store, A, Attack("class", 50, 10), [0.0, 20.0, 72.0])
    app = visit(attack=CLASS, shots="50", rate="×10")
    assert "it is 72 %" in texts(app)
    assert "50 of the new 9s" in texts(app)
    assert "10 times the published learning rate" in texts(app)


def test_relearning_that_breaks_a_network_is_said_so(store: Store) -> None:
    attack = Attack("others", rate=10)
    broken = replace(record_of(A, [0.0, 0.0]), failure="its outputs are no longer numbers")
    entry = broken.to_entry()
    store.put(attack_key(A, attack), entry.meta, entry.arrays)
    app = visit(rate="×10")
    assert problems(app) == []
    said = "**PRU (paper)**: relearning broke the network in epoch 1: its outputs are no longer"
    assert said in texts(app)
