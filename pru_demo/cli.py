"""The command line: list · data · train · run · measure · search · precompute."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pru_demo.cli_data import add_data_command
from pru_demo.cli_list import add_list_command
from pru_demo.cli_progress import ProgressContext, measure_table, result_table
from pru_demo.config import PRESETS, Pick, RunConfig, Scenario, variants_of
from pru_demo.data import DATASETS
from pru_demo.models import MODELS
from pru_demo.paths import CHECKPOINTS, RECORDS, ROOT
from pru_demo.unlearning import METHODS
from pru_demo.unlearning.values import GIVEN


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

    add_list_command(commands)
    add_data_command(commands)

    train = commands.add_parser("train", help="train an original network")
    _scenario_options(train, forget=False, preset=False)
    train.add_argument("--out", type=Path, default=CHECKPOINTS, help="directory of checkpoints")
    train.set_defaults(command=_train)

    run = commands.add_parser("run", help="forget, relearn, measure")
    _run_options(run)
    run.set_defaults(command=_run)

    measure = commands.add_parser("measure", help="probe, attack and compare what run has left")
    _run_options(measure)
    measure.set_defaults(command=_measure)

    search = commands.add_parser("search", help="find the parameters of the tuned variants")
    _scenario_options(search, forget=False)
    search.add_argument("--methods", default="pru,boundary_shrink", help="comma-separated")
    search.add_argument("--log", type=Path, help="default: benchmarks/results/search-*.json")
    search.set_defaults(command=_search)

    precompute = commands.add_parser("precompute", help="make the bundled records again")
    precompute.add_argument("--out", type=Path, default=RECORDS, help="directory of records")
    precompute.set_defaults(command=_precompute)
    return parser


def _run_options(parser: argparse.ArgumentParser) -> None:
    _scenario_options(parser)
    parser.add_argument(
        "--methods",
        default="pru,boundary_shrink",
        help="comma-separated, each METHOD or METHOD:VARIANT; methods: " + ", ".join(METHODS),
    )
    parser.add_argument(
        "--given", choices=GIVEN, default=Scenario().given, help="which images are forgotten with"
    )
    parser.add_argument("--forget-samples", type=int, help="use at most this many of them")
    parser.add_argument(
        "--checkpoint", type=Path, help="forget in your own network: its safetensors"
    )
    parser.add_argument("--json", type=Path, help="write the summary to this file")


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

    configs = _configs(options)
    store = open_store(RECORDS)
    records = []
    for config in configs:
        with ProgressContext(_title(config)) as context:
            records.append(run_into(store, config, context))
    print(result_table(records))
    print(f"Records are in {store.directory}")
    _write_json(options.json, {"runs": [record.summary() for record in records]})


def _measure(options: argparse.Namespace) -> None:
    from pru_demo.runs.compute import measure_into, run_into
    from pru_demo.runs.record import run_key, weights_key
    from pru_demo.runs.store import open_store

    configs = _configs(options)
    store = open_store(RECORDS)
    measured = []
    for config in configs:
        with ProgressContext(_title(config)) as context:
            if store.get(run_key(config)) is None or store.get(weights_key(config)) is None:
                run_into(store, config, context)
            measured.append((config, measure_into(store, config, context)))
    print(measure_table(measured))
    runs = [{**config.content(), **measures} for config, measures in measured]
    _write_json(options.json, {"runs": runs})


def _title(config: RunConfig) -> str:
    return f"{config.pick.method} ({config.pick.variant})"


def _write_json(file: Path | None, content: dict[str, Any]) -> None:
    if file:
        file.write_text(json.dumps(content, indent=1) + "\n")


def _configs(options: argparse.Namespace) -> list[RunConfig]:
    scenario = replace(
        _scenario(options), given=options.given, forget_samples=options.forget_samples
    )
    if scenario.forget_samples is not None and scenario.forget_samples < 2:
        raise ValueError("--forget-samples must be at least 2.")
    picks = _picks(options.methods, scenario)
    if options.checkpoint:
        from pru_demo.originals import import_checkpoint
        from pru_demo.runs.store import default_store_directory

        kept = default_store_directory().parent / "originals"
        digest = import_checkpoint(options.checkpoint, scenario.dataset, scenario.model, kept)
        scenario = replace(scenario, original=digest)
    return [RunConfig(scenario, pick) for pick in picks]


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
        available = variants_of(method, scenario)
        if variant and variant not in available:
            raise ValueError(f"{method} has the variants {', '.join(available)}, not {variant!r}.")
        picks.append(Pick(method, variant or available[0]))
    return picks
