"""What ships, and on what its maps are fitted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pru_demo.cli import precompute as module
from pru_demo.cli.precompute import shipped_runs
from pru_demo.config import Scenario
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
    assert shipped == [
        "pru:tuned",
        "pru:paper",
        "pru:released",
        "boundary_shrink:tuned",
        "boundary_shrink:paper",
        "boundary_shrink:released",
        "retrain:paper",
        "original:paper",
        "mask:default",
        "head_only:default",
    ]


def test_a_map_is_fitted_before_the_controls_are_put_on_it(work: Store) -> None:
    jobs = FakeJobs()
    module._draw(work, jobs, shipped_runs(Scenario()), "time")  # type: ignore[arg-type]
    fitted, placed = jobs.asked
    assert placed == ["mask", "head_only"]
    assert not {*placed} & {*fitted}
    assert {*fitted} == {"pru", "boundary_shrink", "retrain", "original"}
