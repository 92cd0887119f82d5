"""``python -m pru_demo run``, ``measure``, ``sweep``: work for the engine, tables of results.

``train`` and ``search`` work in the command's own process.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pru_demo.cli.batch import Jobs, title_of
from pru_demo.cli.options import (
    Commands,
    add_run_options,
    add_scenario_options,
    configs_of,
    scenario_of,
    seeds_of,
)
from pru_demo.cli.tables import measure_table, result_table, sweep_table
from pru_demo.config import RunConfig, Scenario
from pru_demo.data import DATASETS
from pru_demo.experiment.keys import inside_key, measures_key, run_key, weights_key
from pru_demo.experiment.migration import open_results
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.spread import spread_by_method
from pru_demo.experiment.tasks import MEASURE
from pru_demo.paths import CHECKPOINTS, ROOT
from pru_demo.store import Store, default_store_directory


def add_run_commands(commands: Commands) -> None:
    """Add ``run``, ``measure`` and ``sweep``."""
    run = commands.add_parser("run", help="forget, relearn, measure")
    add_run_options(run)
    run.set_defaults(command=_run)

    measure = commands.add_parser("measure", help="probe, attack and compare what run has left")
    add_run_options(measure)
    measure.set_defaults(command=_measure)

    sweep = commands.add_parser("sweep", help="run each class with each seed: means and spread")
    add_run_options(sweep)
    sweep.add_argument("--seeds", default=str(Scenario().seed), help="comma-separated")
    sweep.set_defaults(command=_sweep)


def _run(options: argparse.Namespace) -> None:
    configs, store = configs_of(options), open_results()
    with Jobs(store.directory) as jobs:
        records = [_record(store, c) for c in jobs.run(configs, again=True)]
    print(result_table(records))
    _tell(store, options.json, {"runs": [record.summary() for record in records]})


def _measure(options: argparse.Namespace) -> None:
    configs, store = configs_of(options), open_results()
    kept = [c for c in configs if store.get(run_key(c)) and store.get(weights_key(c))]
    with Jobs(store.directory) as jobs:
        list(jobs.run([c for c in configs if c not in kept], again=True))
        for config in configs:
            title = f"{title_of(config)}, measuring"
            jobs.do(MEASURE, {"config": config.content()}, measures_key(config), title)
    measured = [(config, _measures(store, config)) for config in configs]
    print(measure_table(measured))
    _tell(store, options.json, {"runs": [{**c.content(), **meta} for c, meta in measured]})


def _sweep(options: argparse.Namespace) -> None:
    """Each class of ``--forget`` alone, with each of ``--seeds``; what is stored is not redone."""
    seeds = seeds_of(options.seeds)
    configs = [
        replace(config, scenario=replace(config.scenario, forget=(forgotten,), seed=seed))
        for config in configs_of(options)
        for forgotten in config.scenario.forget
        for seed in seeds
    ]
    store = open_results()
    with Jobs(store.directory) as jobs:
        records = [_record(store, c) for c in jobs.run(configs, again=False)]
    methods = spread_by_method(records)
    print(sweep_table(methods))
    runs, spread = ([each.summary() for each in found] for found in (records, methods))
    _tell(store, options.json, {"runs": runs, "spread": spread})


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


def add_train_command(commands: Commands) -> None:
    train = commands.add_parser("train", help="train an original network")
    add_scenario_options(train, ("dataset", "model", "seed"))
    train.add_argument("--out", type=Path, default=CHECKPOINTS, help="directory of checkpoints")
    train.set_defaults(command=_train)


def _train(options: argparse.Namespace) -> None:
    scenario = scenario_of(options)
    from pru_demo.experiment.originals import train_original

    path = train_original(
        scenario.dataset,
        scenario.model,
        scenario.seed,
        options.out,
        lambda epoch: print(f"epoch {epoch.epoch}: loss {epoch.loss:.4f}", flush=True),
    )
    print(path)


def add_search_command(commands: Commands) -> None:
    search = commands.add_parser("search", help="find the parameters of the tuned variants")
    add_scenario_options(search, ("dataset", "model", "preset", "seed"))
    search.add_argument(
        "--methods", help="comma-separated METHOD:VARIANT; default: all that can be"
    )
    search.add_argument("--classes", help="to search on, comma-separated; default: 0,1,2,3,4")
    search.add_argument("--log", type=Path, help="default: benchmarks/results/search-*.json")
    search.set_defaults(command=_search)


def _search(options: argparse.Namespace) -> None:
    scenario = scenario_of(options)
    from pru_demo.experiment.search import AXES, CLASSES, search

    usual = Scenario(dataset=scenario.dataset, model=scenario.model)
    more = "" if scenario == usual else f"-{scenario.preset}-seed{scenario.seed}"
    name = f"search-{scenario.dataset}-{scenario.model}{more}.json"
    log = options.log or ROOT / "benchmarks" / "results" / name
    search(
        scenario,
        _classes(options.classes, scenario) if options.classes else CLASSES,
        options.methods.split(",") if options.methods else tuple(AXES),
        default_store_directory().parent / "originals",
        log,
    )
    print(log)


def _classes(text: str, scenario: Scenario) -> list[int]:
    """Classes in the order in which they were named. Raises ValueError for one there is not."""
    count = len(DATASETS[scenario.dataset].class_names)
    named = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) < count for part in named):
        raise ValueError(f"--classes wants numbers from 0 to {count - 1}, comma-separated.")
    return [int(part) for part in dict.fromkeys(named)]
