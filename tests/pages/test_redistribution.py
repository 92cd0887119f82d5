"""Redistribution shows what there is, also where the networks leave little to show."""

from typing import Any

import numpy as np
import pytest

from pru_demo.experiment.keys import run_key
from pru_demo.experiment.record import RunRecord
from pru_demo.store import Store
from tests.pages.visits import BUNDLED, NOT_BUNDLED, SHIPPED, go, new_session, problems, texts

pytestmark = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)


def change(store: Store, **changes: Any) -> None:
    """Let A's record have other arrays: each is a function of the old one and who is forgotten."""
    key = run_key(SHIPPED.runs()["A"])
    entry = store.get(key)
    assert entry is not None
    forgotten = np.flatnonzero(RunRecord.from_entry(entry).forgotten)
    changed = {name: make(entry.arrays[name].copy(), forgotten) for name, make in changes.items()}
    store.put(key, entry.meta, entry.arrays | changed)


@pytest.mark.parametrize("left", [0, 1, 2])
def test_the_equation_is_shown_on_the_samples_that_leave_something_to_share_out(
    store: Store, left: int
) -> None:
    def sure(p: Any, forgotten: Any) -> Any:
        p[forgotten] = np.eye(10)[9]
        p[forgotten[:left]] = [*[0.05] * 8, 0, 0.6]
        return p

    change(store, p_original=sure)
    app = go(new_session(SHIPPED), "redistribution")
    assert problems(app) == []
    assert ("is so sure of all of the 9s" in texts(app)) == (left == 0)
    assert ("Eq. 1–2 on one sample" in texts(app)) == (left > 0)
    assert [slider.max for slider in app.slider if slider.key == "sample"] == [2] * (left == 2)


def test_no_strip_is_shown_of_a_class_that_nothing_is_taken_for(store: Store) -> None:
    def all_fours(predicted: Any, forgotten: Any) -> Any:
        predicted[:, forgotten] = 4
        return predicted

    change(store, predicted=all_fours)
    app = go(new_session(SHIPPED), "redistribution")
    assert problems(app) == []
    strips = [line for line in texts(app).splitlines() if "that PRU (rehearsed) calls" in line]
    assert len(strips) == 1
    assert "9s that PRU (rehearsed) calls 4" in strips[0]
