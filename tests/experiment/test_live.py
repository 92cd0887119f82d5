"""What is seen of a run while it happens is what its record says in the end."""

from typing import Any

import numpy as np
import pytest

from pru_demo.experiment.checkpoint import last_checkpoint
from pru_demo.experiment.keys import features_key, map_key
from pru_demo.experiment.maps import LIVE
from pru_demo.store import Store
from tests.experiment.conftest import FakeContext, config_of, run_into

pytestmark = pytest.mark.usefixtures("shrunken")

PRU = config_of("pru", "tuned")


class Onlooker(FakeContext):
    """Looks at the run whenever it reports a snapshot."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self.seen: list[Any] = []

    def report(self, **event: Any) -> None:
        super().report(**event)
        if "snapshot" in event:
            checkpoint = last_checkpoint(self._store, PRU)
            self.seen.append(None if checkpoint is None else checkpoint.result)


def test_an_onlooker_sees_every_finished_epoch(store: Store) -> None:
    context = Onlooker(store)
    record = run_into(store, PRU, context)
    # Two epochs of two steps, then two of relearning: what is reported is written down after it.
    seen = [0 if live is None else len(live.record.snapshots) for live in context.seen]
    assert seen == [0, 0, 0, 3, 3, 5, 6]
    features = store.get(features_key(PRU))
    assert features is not None
    for live in filter(None, context.seen):
        count = len(live.record.snapshots)
        assert live.record.snapshots == record.snapshots[:count]
        np.testing.assert_array_equal(
            live.features["features"], features.arrays["features"][:count]
        )
        for name in ("predicted", "top", "p_top", "p_f"):
            np.testing.assert_array_equal(live.record.arrays[name], record.arrays[name][:count])
        for name in ("labels", "shown", "destined", "p_original"):
            np.testing.assert_array_equal(live.record.arrays[name], record.arrays[name])


def test_the_map_to_follow_a_run_on_is_there_before_the_method_begins(store: Store) -> None:
    class Looks(FakeContext):
        def report(self, **event: Any) -> None:
            super().report(**event)
            if event.get("done", 0) >= 2:
                found.append(store.get(map_key(PRU, LIVE)) is not None)

    found: list[bool] = []
    run_into(store, PRU, Looks())
    assert found
    assert all(found)


def test_a_second_run_is_followed_on_the_map_of_the_first(store: Store) -> None:
    run_into(store, PRU, FakeContext())
    first = store.get(map_key(PRU, LIVE))
    other = config_of("delete", "default")
    run_into(store, other, FakeContext())
    again = store.get(map_key(other, LIVE))
    assert first is not None
    assert again is not None
    assert first.meta == again.meta


def test_nobody_sees_a_run_that_has_not_begun(store: Store) -> None:
    assert last_checkpoint(store, PRU) is None
