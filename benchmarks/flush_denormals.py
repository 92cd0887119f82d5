"""What flushing denormal numbers to zero is worth on a CPU, on a network as unlearning leaves it.

    python benchmarks/flush_denormals.py

Times an E step and an epoch of relearning of PRU (tuned) on the bundled weights, with and without
flushing, alternating in one process on one thread, into ``results/flush-denormals.json``.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from machine import describe_machine

from pru_demo.batches import seeded
from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.inference import network
from pru_demo.paths import RECORDS
from pru_demo.relearning import SETTINGS
from pru_demo.runs.bundle import Bundle
from pru_demo.runs.material import gather
from pru_demo.runs.pipeline import setting_of
from pru_demo.runs.record import weights_key
from pru_demo.training import make_sgd, train_epoch
from pru_demo.unlearning.pru import pru

RESULT = Path(__file__).parent / "results" / "flush-denormals.json"
REPEATS = 3


def main() -> None:
    """Measure, print and write the result."""
    torch.set_num_threads(1)
    machine = describe_machine()
    config = RunConfig(Scenario(), Pick("pru", "tuned"))
    material = gather(config.scenario)
    entry = Bundle(RECORDS).get(weights_key(config))
    assert entry is not None, "bundled weights are missing; run: python -m pru_demo precompute"
    weights = entry.arrays
    params = replace(setting_of(config).params, epochs=1)

    def relearning_epoch() -> None:
        model = network(config.scenario, weights, 0)
        optimizer = make_sgd(list(model.parameters()), SETTINGS)
        images, labels = material.relearn_images, material.relearn_labels
        train_epoch(model, optimizer, images, labels, SETTINGS.batch_size, seeded(7))

    def unlearning_epoch() -> None:
        for _ in pru(network(config.scenario, weights, 0), material.forget, params):
            pass

    seconds = {
        name: {flush: [] for flush in (False, True)} for name in ("relearning", "unlearning")
    }
    for _ in range(REPEATS):
        for flush in (False, True):
            torch.set_flush_denormal(flush)
            seconds["relearning"][flush].append(timed(relearning_epoch))
            seconds["unlearning"][flush].append(timed(unlearning_epoch))
    result = {
        "what": "median seconds of one epoch on 1,280 images, without and with flushing",
        "machine": machine.facts,
        **{
            name: {
                "without": round(statistics.median(both[False]), 2),
                "with": round(statistics.median(both[True]), 2),
                "ratio": round(statistics.median(both[False]) / statistics.median(both[True]), 2),
            }
            for name, both in seconds.items()
        },
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def timed(work: Callable[[], None]) -> float:
    """Wall seconds of ``work``."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
