"""What ships, and on what its maps are fitted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pru_demo.cli import precompute as module
from pru_demo.cli.precompute import SHIPPED, shipped_runs
from pru_demo.config import Scenario
from pru_demo.links import View
from pru_demo.store import Store


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    store = Store(tmp_path / "work")
    yield store
    store.close()


class FakeJobs:
    """Keeps the methods and the key of each map that is asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def do(self, task: str, arguments: dict[str, Any], key: str, title: str) -> None:
        self.asked.append([config["method"] for config in arguments["configs"]])


def test_the_controls_ship_beside_what_they_are_to_be_compared_with() -> None:
    shipped = [str(run.pick) for run in shipped_runs(Scenario())]
    assert shipped[-4:] == ["retrain:paper", "original:paper", "mask:default", "head_only:default"]


def test_all_that_is_to_ship_exists() -> None:
    for preset, picks in SHIPPED.items():
        there = [str(run.pick) for run in shipped_runs(Scenario(preset=preset))]
        assert sorted(there) == sorted(picks)
        assert {str(View().a), str(View().b)} <= {*there}


def test_a_map_is_fitted_before_the_controls_are_put_on_it(work: Store) -> None:
    jobs = FakeJobs()
    module._draw(work, jobs, shipped_runs(Scenario()), "time")  # type: ignore[arg-type]
    fitted, placed = jobs.asked
    assert placed == ["mask", "head_only"]
    assert not {*placed} & {*fitted}
    assert {*fitted} == {"pru", "boundary_shrink", "delete", "retrain", "original"}
