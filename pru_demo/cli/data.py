"""``python -m pru_demo data``: which data sets are here, and fetching those that are not."""

import argparse

from tabulate import tabulate

from pru_demo.data import DATASETS, how_to_get, location, note_of
from pru_demo.data.places import data_directory
from pru_demo.data.published import PUBLISHED


def add_data_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``data list`` and ``data fetch NAME…``."""
    data = commands.add_parser("data", help="list or fetch data sets")
    actions = data.add_subparsers(required=True, metavar="action")
    listing = actions.add_parser("list", help="which data sets are here, and how to get the others")
    listing.set_defaults(command=_list)
    fetching = actions.add_parser("fetch", help="download data sets into the data directory")
    fetching.add_argument(
        "names", nargs="+", choices=PUBLISHED, metavar="NAME", help=", ".join(PUBLISHED)
    )
    fetching.set_defaults(command=_fetch)


def _list(options: argparse.Namespace) -> None:
    directory = data_directory()
    rows = []
    for name, spec in DATASETS.items():
        folder = location(name)
        where = folder or how_to_get(name)
        rows.append([name, len(spec.class_names), "present" if folder else "missing", where])
    print(tabulate(rows, headers=["name", "classes", "", "where, or how to get it"]))
    for name in DATASETS:
        if note := note_of(name):
            print(f"{name}: {note}")
    print(f"Data directory: {directory}")


def _fetch(options: argparse.Namespace) -> None:
    from pru_demo.data.fetch import fetch

    for name in options.names:
        print(fetch(name, lambda text: print(text, flush=True)))
