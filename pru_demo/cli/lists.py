"""``python -m pru_demo list`` and ``data``: what there is to choose from; fetching data sets."""

import argparse
import json
from typing import Any

from tabulate import tabulate

from pru_demo.cli.options import Commands
from pru_demo.data import DATASETS, available, how_to_get, location, note_of
from pru_demo.data.places import data_directory
from pru_demo.data.published import PUBLISHED
from pru_demo.methods import METHODS
from pru_demo.models import MODELS
from pru_demo.settings import PRESETS


def add_list_command(commands: Commands) -> None:
    parser = commands.add_parser("list", help="methods, data sets, networks, presets")
    parser.add_argument("--json", action="store_true", help="as JSON on standard output")
    parser.set_defaults(command=_list)


def _list(options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(_registries(), indent=1, ensure_ascii=False))
        return
    for title, rows in _registries().items():
        print(f"{title.capitalize()}\n{tabulate(rows, headers='keys')}\n")


def _registries() -> dict[str, list[dict[str, Any]]]:
    """Everything that can be chosen, as JSON."""
    return {
        "methods": [
            {
                "name": name,
                "needs_retain": method.needs_retain,
                "control": method.control,
                "source": method.source,
                "description": method.description,
            }
            for name, method in METHODS.items()
        ],
        "datasets": [
            {
                "name": name,
                "classes": len(spec.class_names),
                "available": available(name),
                "how_to_get": None if available(name) else how_to_get(name),
            }
            for name, spec in DATASETS.items()
        ],
        "models": [
            {"name": name, "label": spec.label, "description": spec.description}
            for name, spec in MODELS.items()
        ],
        "presets": [
            {"name": name, "description": preset.description} for name, preset in PRESETS.items()
        ],
    }


def add_data_command(commands: Commands) -> None:
    """Add ``data list`` and ``data fetch NAME…``."""
    data = commands.add_parser("data", help="list or fetch data sets")
    actions = data.add_subparsers(required=True, metavar="action")
    listing = actions.add_parser("list", help="which data sets are here, and how to get the others")
    listing.set_defaults(command=_list_data)
    fetching = actions.add_parser("fetch", help="download data sets into the data directory")
    fetching.add_argument(
        "names", nargs="+", choices=PUBLISHED, metavar="NAME", help=", ".join(PUBLISHED)
    )
    fetching.set_defaults(command=_fetch_data)


def _list_data(options: argparse.Namespace) -> None:
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


def _fetch_data(options: argparse.Namespace) -> None:
    from pru_demo.data.fetch import fetch

    for name in options.names:
        print(fetch(name, lambda text: print(text, flush=True)))
