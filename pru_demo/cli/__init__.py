"""The command line: list · data · cache · train · run · measure · sweep · search · precompute."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pru_demo.cli.cache import add_cache_command
from pru_demo.cli.data import add_data_command
from pru_demo.cli.listing import add_list_command
from pru_demo.cli.options import add_scenario_options
from pru_demo.cli.runs import add_run_commands
from pru_demo.config import Scenario
from pru_demo.jobs.protocol import JobFailed, Refused
from pru_demo.paths import CHECKPOINTS, RECORDS, ROOT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Expected problems are one sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except (OSError, ValueError, JobFailed, Refused) as problem:
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
    add_cache_command(commands)

    train = commands.add_parser("train", help="train an original network")
    add_scenario_options(train, forget=False, preset=False)
    train.add_argument("--out", type=Path, default=CHECKPOINTS, help="directory of checkpoints")
    train.set_defaults(command=_train)

    add_run_commands(commands)

    search = commands.add_parser("search", help="find the parameters of the tuned variants")
    add_scenario_options(search, forget=False)
    search.add_argument("--methods", default="pru,boundary_shrink", help="comma-separated")
    search.add_argument("--log", type=Path, help="default: benchmarks/results/search-*.json")
    search.set_defaults(command=_search)

    precompute = commands.add_parser("precompute", help="make the bundled records again")
    precompute.add_argument("--out", type=Path, default=RECORDS, help="directory of records")
    precompute.set_defaults(command=_precompute)
    return parser


def _train(options: argparse.Namespace) -> None:
    from pru_demo.experiment.originals import train_original

    path = train_original(
        options.dataset,
        options.model,
        options.seed,
        options.out,
        lambda epoch: print(f"epoch {epoch.epoch}: loss {epoch.loss:.4f}", flush=True),
    )
    print(path)


def _search(options: argparse.Namespace) -> None:
    from pru_demo.experiment.search import SEARCHED_CLASS, search
    from pru_demo.store import default_store_directory

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
    from pru_demo.cli.batch import Jobs, title_of
    from pru_demo.cli.precompute import BUNDLED, precompute
    from pru_demo.store import Store, default_store_directory

    # A store of its own, without the bundled layer: what is to be made again must not be found.
    work = Store(default_store_directory().with_name("precompute"))
    with Jobs(work.directory, bundled=False) as jobs:
        for run in precompute(BUNDLED, work, options.out, jobs):
            print(f"{run.scenario.preset}: {title_of(run)}")
    print(options.out)
