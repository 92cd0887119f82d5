"""What is said of a job that left no result is true of how it ended."""

import pytest

from pru_demo.jobs.protocol import Request
from pru_demo.ui.inside import measuring
from pru_demo.ui.perception import drawing_maps
from pru_demo.ui.shared import running
from pru_demo.ui.shared.jobs_panel import Endings, explain_end
from tests.pages.fake_engine import FakeJob

NAME = "PRU (paper)"
FAILURE = "The worker died."


def said_of(job: FakeJob | None, endings: Endings) -> list[str]:
    """What would stand in a box of whatever colour."""
    boxes: list[str] = []

    def box(sentence: str, icon: str) -> None:
        boxes.append(sentence)

    heard: Endings = {state: ((box, icon), text) for state, ((_, icon), text) in endings.items()}
    assert explain_end(job, heard, name=NAME, where=" at “epoch 3”") == bool(boxes)
    return boxes


def ended(how: str) -> FakeJob:
    job = FakeJob(1, Request("task", {}, "key"))
    if how == "failed":
        job.fail(FAILURE, "ab12cd34")
    elif how == "interrupted":
        job.interrupt()
    elif how == "cancelled":
        job.stop()
    elif how == "done":
        job.end("done")
    elif how == "running":
        job.run(started=0.0)
    return job


RUNS, MEASURES, MAPS = running._ENDINGS, measuring._ENDINGS, drawing_maps._ENDINGS
STOPPED = f"Measuring {NAME} was stopped. Nothing else was lost."


@pytest.mark.parametrize(
    ("endings", "how", "sentence"),
    [
        (RUNS, "failed", f"{FAILURE} Reference ab12cd34."),
        (RUNS, "cancelled", f"{NAME} was cancelled. Nothing else was lost."),
        (RUNS, "interrupted", f"{NAME} was interrupted at “epoch 3”. Reference ab12cd34."),
        (MEASURES, "failed", f"{NAME} could not be measured. {FAILURE} Reference ab12cd34."),
        (MEASURES, "cancelled", STOPPED),
        (MEASURES, "interrupted", STOPPED),
        (MAPS, "failed", FAILURE),
        (MAPS, "cancelled", "Drawing was stopped."),
        (MAPS, "interrupted", "The computation was interrupted."),
    ],
)
def test_every_bad_end_has_its_sentence(endings: Endings, how: str, sentence: str) -> None:
    assert said_of(ended(how), endings) == [sentence]


@pytest.mark.parametrize("how", ["queued", "running", "done"])
def test_nothing_is_said_of_what_goes_on_or_ended_well(how: str) -> None:
    assert [said_of(ended(how), each) for each in (RUNS, MEASURES, MAPS)] == [[], [], []]


def test_nothing_is_said_of_what_nobody_asked_for() -> None:
    assert said_of(None, RUNS) == []
