"""What the engine costs beside the computation, on this machine's workers and on Ray's.

    python benchmarks/engine_overhead.py

Measures, for each kind that is installed: from nothing to the first result, a job in a warm engine
from submission to its first event and to its result, and how long an event is on its way. Writes
``benchmarks/results/engine-overhead.json``.
"""

import importlib.util
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from machine import RESULTS, machine_facts, write_result  # noqa: E402

from pru_demo.jobs.client import Engine  # noqa: E402
from pru_demo.jobs.protocol import Context, Job  # noqa: E402

JOBS, EVENTS = 50, 200


def talk(context: Context, events: int) -> float:
    """Report ``events`` times, one every 5 ms, as a fast training would; returns when it began."""
    began = time.time()
    for step in range(events):
        context.report(step=step)
        time.sleep(0.005)
    return began


def measure(options: list[str]) -> dict[str, Any]:
    """All numbers of one kind of workers, in milliseconds but for the start."""
    with tempfile.TemporaryDirectory() as directory:
        engine = Engine(Path(directory) / "home", ["--slots", "1", *options])
        started = time.perf_counter()
        submit(engine, 0, "first").future.result()
        start = time.perf_counter() - started

        first_event, round_trip = [], []
        for number in range(JOBS):
            started, wall = time.perf_counter(), time.time()
            job = submit(engine, 1, f"job {number}")
            job.future.result()
            round_trip.append(time.perf_counter() - started - 0.005)
            first_event.append(job.events()[0].time - wall)

        late: list[float] = []
        job, seen = submit(engine, EVENTS, "events"), 0
        while not job.future.done():
            for event in job.events(seen):
                late.append(time.time() - event.time)
                seen = event.number
            time.sleep(0.0005)
        engine.close()
    return {
        "start_to_first_result_s": round(start, 2),
        "submit_to_first_event_ms": spread(first_event),
        "job_overhead_ms": spread(round_trip),
        "event_latency_ms": spread(late),
    }


def submit(engine: Engine, events: int, key: str) -> Job:
    """A job that reports ``events`` times."""
    return engine.submit("benchmarks.engine_overhead:talk", {"events": events}, key=key)


def spread(seconds: list[float]) -> dict[str, float]:
    """Median and largest, in milliseconds."""
    return {
        "median": round(1000 * statistics.median(seconds), 2),
        "max": round(1000 * max(seconds), 2),
    }


def main() -> None:
    """Measure, print and write."""
    facts = machine_facts()
    kinds = {"local": measure([])}
    if importlib.util.find_spec("ray"):
        kinds["ray"] = measure(["--cluster", "local"])
    result = {
        "what": f"engine overhead: medians of {JOBS} jobs and of {EVENTS} events",
        "machine": facts,
        "workers": kinds,
    }
    write_result(RESULTS / "engine-overhead.json", result)


if __name__ == "__main__":
    main()
