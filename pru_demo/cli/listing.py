"""``python -m pru_demo list``: what there is to choose from."""

import argparse
import json
from typing import Any

from tabulate import tabulate

from pru_demo.data import DATASETS, available, how_to_get
from pru_demo.methods import METHODS
from pru_demo.models import MODELS
from pru_demo.settings import PRESETS


def add_list_command(commands: Any) -> None:
    """Add the command to argparse's collection of sub-commands."""
    parser = commands.add_parser("list", help="methods, data sets, networks, presets")
    parser.add_argument("--json", action="store_true", help="as JSON on standard output")
    parser.set_defaults(command=_list)


def registries() -> dict[str, list[dict[str, Any]]]:
    """Everything that can be chosen, as JSON."""
    return {
        "methods": [
            {
                "name": name,
                "needs_retain": method.needs_retain,
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


def _list(options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(registries(), indent=1, ensure_ascii=False))
        return
    for title, rows in registries().items():
        print(f"{title.capitalize()}\n{tabulate(rows, headers='keys')}\n")
