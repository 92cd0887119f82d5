"""What flushing denormal numbers to zero is worth on a CPU while a network unlearns and relearns.

    PYTHONPATH=. python benchmarks/flush_denormals.py

Times PRU (paper, classroom) and an epoch of relearning after it, with and without flushing,
alternating in one process on one thread; writes ``benchmarks/results/flush-denormals.json``.
"""

import statistics
import time
from pathlib import Path

import torch
from machine import RESULTS, machine_facts, write_result

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.data.samples import seeded
from pru_demo.experiment.material import gather
from pru_demo.experiment.originals import obtain_original
from pru_demo.experiment.run import setting_of
from pru_demo.methods.pru import pru
from pru_demo.settings import RELEARNING
from pru_demo.training import sgd, train_epoch

REPEATS = 2


def main() -> None:
    """Measure, print and write the result."""
    torch.set_num_threads(1)
    facts = machine_facts()
    config = RunConfig(Scenario(), Pick("pru", "paper"))
    material = gather(config.scenario)
    params = setting_of(config).params
    original = obtain_original(config.scenario, Path())

    seconds = {
        name: {flush: [] for flush in (False, True)} for name in ("unlearning", "relearning")
    }
    for _ in range(REPEATS):
        for flush in (False, True):
            torch.set_flush_denormal(flush)
            began = time.perf_counter()
            for step in pru(original, material.forget, params):
                model = step.model
            between = time.perf_counter()
            optimizer = sgd(model.parameters(), RELEARNING.learning_rate, RELEARNING)
            train_epoch(model, optimizer, material.relearn, RELEARNING.batch_size, seeded(7))
            seconds["unlearning"][flush].append(between - began)
            seconds["relearning"][flush].append(time.perf_counter() - between)
    result = {
        "what": "median seconds of five epochs of PRU and of one of relearning on 1,280 images",
        "machine": facts,
        **{
            name: {
                "without": round(without := statistics.median(both[False]), 2),
                "with": round(flushing := statistics.median(both[True]), 2),
                "ratio": round(without / flushing, 2),
            }
            for name, both in seconds.items()
        },
    }
    write_result(RESULTS / "flush-denormals.json", result)


if __name__ == "__main__":
    main()
