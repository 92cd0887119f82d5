"""As soon as other seeds of a run are stored, pages show how far they lie apart."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pru_demo.config import RunConfig
from pru_demo.experiment.keys import run_key
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.naming import short_name
from pru_demo.store import Store
from pru_demo.ui.shared.other_seeds import seeds_of, seeds_said
from tests.pages.visits import (
    BUNDLED,
    NOT_BUNDLED,
    SHIPPED,
    figures,
    go,
    new_session,
    problems,
    texts,
)

pytestmark = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)

PAGES = ("start", "forget", "relearning")
A, B = SHIPPED.runs().values()
Repeat = Callable[..., RunRecord]


def keep(store: Store, record: RunRecord) -> None:
    entry = record.to_entry()
    store.put(run_key(record.config), entry.meta, entry.arrays)


def shown(store: Store, config: RunConfig) -> RunRecord:
    found = store.get(run_key(config))
    assert found is not None
    return RunRecord.from_entry(found, config)


@pytest.fixture
def repeat(store: Store) -> Repeat:
    """``repeat(config, seed)``: store the run's record as that of another seed, A_f one higher."""

    def put(config: RunConfig, seed: int, **changes: Any) -> RunRecord:
        record = shown(store, config)
        higher = tuple(replace(s, A_f=min(100.0, s.A_f + 1)) for s in record.snapshots)
        record = replace(record, config=config.with_seed(seed), snapshots=higher, **changes)
        keep(store, record)
        return record

    return put


def other_seeds(record: RunRecord) -> list[RunRecord]:
    first, *others = seeds_of([record])[record.config.pick]
    assert first is record
    return others


def bands(app: Any) -> int:
    traces = [trace for figure in figures(app) for trace in figure["data"]]
    return sum(trace.get("fill") == "toself" for trace in traces)


def test_with_one_seed_there_is_nothing_to_see_of_seeds() -> None:
    app = new_session(SHIPPED)
    for page in PAGES:
        go(app, page)
        assert (problems(app), bands(app)) == ([], 0), page
        assert "Bands" not in texts(app), page


def test_the_range_of_three_seeds_is_drawn_and_said(repeat: Repeat) -> None:
    for seed in (8, 9):
        repeat(A, seed)
    app = new_session(SHIPPED)
    for page in PAGES:
        go(app, page)
        assert problems(app) == [], page
        # Of A, in A_f and A_r; B was run with one seed.
        assert bands(app) == 2, page
        said = "Bands: range over 3 seeds; the thin line in each is their mean."
        assert texts(app).count(said) == 1, page
    tables = [frame.value for frame in go(app, "relearning").dataframe]
    (numbers,) = (table for table in tables if "PRU (rehearsed) · A_f" in table)
    spread = [name for name in numbers if name.endswith("all seeds")]
    assert spread == ["PRU (rehearsed) · A_f, all seeds", "PRU (rehearsed) · A_r, all seeds"]
    assert numbers[spread[0]].iloc[0].endswith("of 3 seeds)")
    traces = [trace for figure in figures(app) for trace in figure["data"]]
    means = [t["name"] for t in traces if t.get("line", {}).get("width") == 1]
    assert means == [short_name(A.pick)] * 2


def test_runs_with_other_numbers_of_seeds_and_broken_ones_are_told(repeat: Repeat) -> None:
    for config, seed in ((A, 8), (A, 9), (B, 8)):
        repeat(config, seed)
    repeat(B, 9, failure="it answers 3 whatever it sees")
    said = texts(go(new_session(SHIPPED), "relearning"))
    assert "Bands: range over 2–3 seeds" in said
    assert "Left out of bands: runs that broke the network (1)." in said


def test_nothing_but_the_seed_may_differ(store: Store, repeat: Repeat) -> None:
    repeat(B, 9)
    fewer = replace(A, scenario=replace(A.scenario, forget_samples=100, seed=8))
    keep(store, replace(shown(store, A), config=fewer))
    assert other_seeds(shown(store, A)) == []


def test_a_seed_that_is_run_anew_or_deleted_is_seen_at_once(store: Store, repeat: Repeat) -> None:
    mine = shown(store, A)
    there = repeat(A, 8)
    assert [run.snapshots for run in other_seeds(mine)] == [there.snapshots]
    keep(store, replace(there, snapshots=mine.snapshots))
    assert [run.snapshots for run in other_seeds(mine)] == [mine.snapshots]
    store.delete(run_key(there.config))
    assert other_seeds(mine) == []


@pytest.mark.parametrize(
    "config", [None, "foreign", {"seed": 8}, {**A.content(), "seed": "eight"}, A.content()]
)
def test_what_is_not_understood_is_no_seed(store: Store, config: Any) -> None:
    header = {} if config is None else {"config": config}
    store.put(run_key(A.with_seed(8)), header, {})
    # So that one looks whether there is an 8.
    keep(store, replace(shown(store, B), config=B.with_seed(8)))
    assert other_seeds(shown(store, A)) == []


def test_an_index_that_cannot_be_read_costs_the_bands_and_nothing_else(
    store: Store, repeat: Repeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(prefix: str = "") -> list[str]:
        raise OSError("database disk image is malformed")

    repeat(A, 8)
    monkeypatch.setattr(store, "keys", unreadable)
    app = go(new_session(SHIPPED), "relearning")
    assert (problems(app), bands(app)) == ([], 0)
    assert "**PRU (rehearsed)** leaves" in texts(app)


def test_only_broken_seeds_are_said_too(store: Store, repeat: Repeat) -> None:
    repeat(A, 8, failure="it answers 3 whatever it sees")
    said = seeds_said(seeds_of([shown(store, A)]))
    assert said == "Left out of bands: runs that broke the network (1)."
