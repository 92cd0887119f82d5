"""``python -m pru_demo run``, ``measure`` and ``sweep``: work for the engine, tables of results."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pru_demo.cli.batch import Jobs
from pru_demo.cli.options import add_run_options, configs_of
from pru_demo.cli.tables import measure_table, result_table, sweep_table
from pru_demo.config import RunConfig
from pru_demo.experiment.keys import inside_key, measures_key, run_key, weights_key
from pru_demo.experiment.record import RunRecord
from pru_demo.paths import RECORDS
from pru_demo.store import Store, open_store


def add_run_commands(commands: Any) -> None:
    """Add the commands to argparse's collection of sub-commands."""
    run = commands.add_parser("run", help="forget, relearn, measure")
    add_run_options(run)
    run.set_defaults(command=_run)

    measure = commands.add_parser("measure", help="probe, attack and compare what run has left")
    add_run_options(measure)
    measure.set_defaults(command=_measure)

    sweep = commands.add_parser("sweep", help="run each class with each seed: means and spread")
    add_run_options(sweep)
    sweep.add_argument("--seeds", type=_numbers, default=(7,), help="comma-separated")
    sweep.set_defaults(command=_sweep)


def _run(options: argparse.Namespace) -> None:
    store = open_store(RECORDS)
    with Jobs(store.directory) as jobs:
        records = [_record(store, c) for c in jobs.run(configs_of(options), again=True)]
    print(result_table(records))
    _tell(store, options.json, {"runs": [record.summary() for record in records]})


def _measure(options: argparse.Namespace) -> None:
    configs, store = configs_of(options), open_store(RECORDS)
    kept = [c for c in configs if store.get(run_key(c)) and store.get(weights_key(c))]
    with Jobs(store.directory) as jobs:
        list(jobs.run([c for c in configs if c not in kept], again=True))
        for config in configs:
            jobs.measure(config)
    measured = [(config, _measures(store, config)) for config in configs]
    print(measure_table(measured))
    _tell(store, options.json, {"runs": [{**c.content(), **meta} for c, meta in measured]})


def _sweep(options: argparse.Namespace) -> None:
    """Each class of ``--forget`` alone, with each of ``--seeds``; what is stored is not redone."""
    configs = [
        replace(config, scenario=replace(config.scenario, forget=(forgotten,), seed=seed))
        for config in configs_of(options)
        for forgotten in options.forget
        for seed in options.seeds
    ]
    store = open_store(RECORDS)
    with Jobs(store.directory) as jobs:
        records = [_record(store, c) for c in jobs.run(configs, again=False)]
    print(sweep_table(records))
    _tell(store, options.json, {"runs": [record.summary() for record in records]})


def _record(store: Store, config: RunConfig) -> RunRecord:
    entry = store.get(run_key(config))
    if entry is None:
        raise OSError(f"A result has vanished from {store.directory}; run the command again.")
    return RunRecord.from_entry(entry, config)


def _measures(store: Store, config: RunConfig) -> dict[str, Any]:
    """What pages show, and the rest."""
    measures: dict[str, Any] = {}
    for key in (inside_key(config), measures_key(config)):
        measures |= store.meta(key) or {}
    return dict(sorted(measures.items()))


def _tell(store: Store, file: Path | None, content: dict[str, Any]) -> None:
    print(f"Records are in {store.directory}")
    if file:
        file.write_text(json.dumps(content, indent=1) + "\n")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(part) for part in text.split(",")))
