"""The command line: train · run · search · precompute."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pru_demo.cli_progress import ProgressContext, result_table
from pru_demo.config import PRESETS, Pick, RunConfig, Scenario, variants_of
from pru_demo.data import DATASETS
from pru_demo.models import MODELS
from pru_demo.paths import CHECKPOINTS, RECORDS, ROOT
from pru_demo.unlearning import METHODS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Expected problems are one sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except (OSError, ValueError) as problem:
        print(f"pru_demo: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("pru_demo: stopped; what was finished is kept.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pru_demo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    train = commands.add_parser("train", help="train an original network")
    _scenario_options(train, forget=False, preset=False)
    train.add_argument("--out", type=Path, default=CHECKPOINTS, help="directory of checkpoints")
    train.set_defaults(command=_train)

    run = commands.add_parser("run", help="forget, relearn, measure")
    _scenario_options(run)
    run.add_argument(
        "--methods",
        default="pru,boundary_shrink",
        help="comma-separated, each METHOD or METHOD:VARIANT; methods: " + ", ".join(METHODS),
    )
    run.add_argument("--json", type=Path, help="write the summary to this file")
    run.set_defaults(command=_run)

    search = commands.add_parser("search", help="find the parameters of the tuned variants")
    _scenario_options(search, forget=False)
    search.add_argument("--methods", default="pru,boundary_shrink", help="comma-separated")
    search.add_argument("--log", type=Path, help="default: benchmarks/results/search-*.json")
    search.set_defaults(command=_search)

    precompute = commands.add_parser("precompute", help="make the bundled records again")
    precompute.add_argument("--out", type=Path, default=RECORDS, help="directory of records")
    precompute.set_defaults(command=_precompute)
    return parser


def _scenario_options(
    parser: argparse.ArgumentParser, *, forget: bool = True, preset: bool = True
) -> None:
    default = Scenario()
    parser.add_argument("--dataset", choices=DATASETS, default=default.dataset)
    parser.add_argument("--model", choices=MODELS, default=default.model)
    parser.add_argument("--seed", type=int, default=default.seed)
    if preset:
        parser.add_argument("--preset", choices=PRESETS, default=default.preset)
    if forget:
        parser.add_argument(
            "--forget",
            type=lambda text: tuple(sorted({int(part) for part in text.split(",")})),
            default=default.forget,
            help="classes, comma-separated",
        )


def _train(options: argparse.Namespace) -> None:
    from pru_demo.originals import train_original

    path = train_original(
        options.dataset,
        options.model,
        options.seed,
        options.out,
        lambda epoch: print(f"epoch {epoch.epoch}: loss {epoch.loss:.4f}", flush=True),
    )
    print(path)


def _run(options: argparse.Namespace) -> None:
    from pru_demo.runs.compute import run_into
    from pru_demo.runs.store import open_store

    scenario = _scenario(options)
    configs = [RunConfig(scenario, pick) for pick in _picks(options.methods, scenario)]
    store = open_store(RECORDS)
    records = []
    for config in configs:
        with ProgressContext(f"{config.pick.method} ({config.pick.variant})") as context:
            records.append(run_into(store, config, context))
    print(result_table(records))
    print(f"Records are in {store.directory}")
    if options.json:
        summary = {"runs": [record.summary() for record in records]}
        options.json.write_text(json.dumps(summary, indent=1) + "\n")


def _search(options: argparse.Namespace) -> None:
    from pru_demo.runs.store import default_store_directory
    from pru_demo.search import SEARCHED_CLASS, search

    scenario = Scenario(
        options.dataset, options.model, (SEARCHED_CLASS,), options.preset, options.seed
    )
    name = f"search-{options.dataset}-{options.model}.json"
    log = options.log or ROOT / "benchmarks" / "results" / name
    search(
        scenario,
        tuple(options.methods.split(",")),
        default_store_directory().parent / "originals",
        log,
    )
    print(log)


def _precompute(options: argparse.Namespace) -> None:
    from pru_demo.precompute import BUNDLED, precompute
    from pru_demo.runs.store import Store, default_store_directory

    # A store of its own, without the bundled layer: what is to be made again must not be found.
    work = Store(default_store_directory().with_name("precompute"))
    with ProgressContext("precompute") as context:
        for run in precompute(BUNDLED, work, options.out, context):
            context.say(f"{run.scenario.preset} · {run.pick.method} ({run.pick.variant})")
    print(options.out)


def _scenario(options: argparse.Namespace) -> Scenario:
    classes = len(DATASETS[options.dataset].class_names)
    if not options.forget or not set(options.forget) <= set(range(classes)):
        raise ValueError(f"--forget takes classes from 0 to {classes - 1}.")
    if len(options.forget) > classes - 2:
        raise ValueError("At least two classes must be left to redistribute to.")
    return Scenario(options.dataset, options.model, options.forget, options.preset, options.seed)


def _picks(text: str, scenario: Scenario) -> list[Pick]:
    picks = []
    for part in text.split(","):
        method, _, variant = part.partition(":")
        if method not in METHODS:
            raise ValueError(f"There is no method {method!r}; there are {', '.join(METHODS)}.")
        available: Any = variants_of(method, scenario.dataset, scenario.model)
        if variant and variant not in available:
            raise ValueError(f"{method} has the variants {', '.join(available)}, not {variant!r}.")
        picks.append(Pick(method, variant or available[0]))
    return picks
