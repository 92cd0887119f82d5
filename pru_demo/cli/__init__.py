"""The command line: list · data · cache · train · run · measure · sweep · search · precompute."""

import argparse
import sys
from collections.abc import Sequence

from pru_demo.cli.cache import add_cache_command
from pru_demo.cli.lists import add_data_command, add_list_command
from pru_demo.cli.precompute import add_precompute_command
from pru_demo.cli.runs import add_run_commands, add_search_command, add_train_command
from pru_demo.jobs.protocol import JobFailed, Refused


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Expected problems are one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m pru_demo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    add_list_command(commands)
    add_data_command(commands)
    add_cache_command(commands)
    add_train_command(commands)
    add_run_commands(commands)
    add_search_command(commands)
    add_precompute_command(commands)

    options = parser.parse_args(arguments)
    try:
        options.command(options)
    except (OSError, ValueError, JobFailed, Refused) as problem:
        print(f"pru_demo: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("pru_demo: stopped; what was finished is kept.", file=sys.stderr)
        return 130
    return 0
