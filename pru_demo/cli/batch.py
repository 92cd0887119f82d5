"""How the command line has its work done: by the engine, as batch jobs with progress bars."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import wait
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pru_demo.config import RunConfig
from pru_demo.experiment.keys import run_key
from pru_demo.experiment.tasks import RUN, shape_of
from pru_demo.jobs.client import engine_for
from pru_demo.jobs.protocol import Job

POLL_SECONDS = 0.1
VISITOR = f"command line {os.getpid()}"


class Jobs:
    """Submits runs to the engine of a store and waits for them; a context manager.

    Several may run at a time, as the machine allows. Ctrl-C cancels what is not finished.
    """

    def __init__(self, store_directory: Path, *, bundled: bool = True) -> None:
        self._engine = engine_for(store_directory, bundled=bundled)
        self._jobs: list[Job] = []

    def __enter__(self) -> "Jobs":
        return self

    def __exit__(self, *_: object) -> None:
        for job in self._jobs:
            job.cancel(VISITOR)
        self._engine.close()

    def run(self, configs: Sequence[RunConfig], *, again: bool) -> Iterator[RunConfig]:
        """Compute all ``configs`` and yield each when it is stored, in their order.

        With ``again`` also those that are stored already. Raises JobFailed for the first one that
        fails, and what ``Engine.submit`` raises.
        """
        jobs = []
        for config in configs:
            arguments = {"config": config.content(), "again": again}
            jobs.append(self._submit(RUN, arguments, run_key(config), shape_of(config)))
        for config, job in zip(configs, jobs, strict=True):
            self._follow(job, title_of(config))
            yield config

    def do(self, task: str, arguments: dict[str, Any], key: str, title: str) -> None:
        """Have any other task done."""
        self._follow(self._submit(task, arguments, key), title)

    def _submit(self, task: str, arguments: dict[str, Any], key: str, shape: str = "") -> Job:
        job = self._engine.submit(
            task, arguments, key=key, visitor=VISITOR, priority="batch", shape=shape, retries=1
        )
        self._jobs.append(job)
        return job

    def _follow(self, job: Job, title: str) -> None:
        """Show a job until it ends, and keep all others from being taken for abandoned."""
        with tqdm(desc=title, unit="step", leave=True, dynamic_ncols=True) as bar:
            seen = 0
            while not job.future.done() or job.events(seen):
                for event in job.events(seen):
                    seen = event.number
                    _show(bar, event.data)
                if job.state == "queued":
                    bar.set_postfix_str(f"number {job.position} in the queue")
                for each in self._jobs:
                    each.watch(VISITOR)
                wait([job.future], timeout=POLL_SECONDS)
        job.future.result()


def _show(bar: "tqdm[Any]", event: Mapping[str, Any]) -> None:
    """Show what a task reports: see ``experiment.tasks``."""
    if snapshot := event.get("snapshot"):
        if event["done"] == 1:
            bar.reset(event["of"])
        bar.n = event["done"]
        bar.set_postfix(A_f=f"{snapshot['A_f']:.1f}", A_r=f"{snapshot['A_r']:.1f}")
    elif epoch := event.get("training_original"):
        bar.set_postfix(training_original=f"epoch {epoch}")
    else:
        bar.set_postfix_str(str(event.get("message", "")))


def title_of(config: RunConfig) -> str:
    """As written before a progress bar."""
    return f"{config.pick.method} ({config.pick.version})"
