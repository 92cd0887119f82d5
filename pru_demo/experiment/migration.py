"""Results that an older version has stored move to today's keys and format; nothing is recomputed.

Until version 2 of the store a key hashed the *names* of variant and preset. Each record says which
parameters it was made with, so it and all that belongs to it can be put where today's keys look.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pru_demo.config import RunConfig
from pru_demo.experiment.keys import shipped
from pru_demo.methods import METHODS
from pru_demo.parameters import as_json
from pru_demo.store import Entry, write_bundle
from pru_demo.store.entry import decode

# What pages show of the measures: see ``experiment.inside``.
_SHOWN = ("forget_set", "layers")


@dataclass(frozen=True)
class RunAsItWas(RunConfig):
    """A run with the parameters it had, whatever its variant has by now: for today's keys."""

    params: Mapping[str, Any]

    def identity(self, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """See ``RunConfig.identity``; with its own parameters if no others are given."""
        return super().identity(self.params if params is None else params)


def run_as_it_was(meta: Mapping[str, Any]) -> RunAsItWas:
    """The run of a stored record's header.

    Raises KeyError, TypeError, ValueError or AttributeError if nobody knows such a run any more.
    """
    config = RunConfig.from_content(meta["config"])
    scenario, method = config.scenario, METHODS[config.pick.method]
    variants = method.values.of(scenario.dataset, scenario.model, scenario.given)
    of_method = type(next(iter(variants.values())).params)
    # A record may be older than some parameters, which then had their default.
    return RunAsItWas(scenario, config.pick, as_json(of_method(**meta["params"])))


def split_measures(entry: Entry) -> tuple[Entry, Entry]:
    """What pages show and what else was measured, which used to be one entry."""
    if not all(name in entry.meta for name in _SHOWN):  # one that was withdrawn
        return entry, entry
    shown = {name: entry.meta[name] for name in _SHOWN}
    return Entry(shown), Entry({n: each for n, each in entry.meta.items() if n not in _SHOWN})


def convert_bundle(directory: Path) -> None:
    """Write the bundled records in ``directory`` anew, under today's keys and in today's format.

    The names of the files say what they are. Raises OSError for a file that is missing or damaged.
    """
    entries: dict[str, Entry] = {}
    names: dict[str, str] = {}
    for record in sorted(directory.glob("*.run")):
        for key, name in shipped(run_as_it_was(_read(record).meta)).items():
            file = directory / name
            measures = file.with_suffix(".measures")
            if file.suffix == ".inside" and measures.exists():
                entries[key], _ = split_measures(_read(measures))
            else:
                entries[key] = _read(file)
            names[key] = name
    write_bundle(directory, entries, names)


def _read(file: Path) -> Entry:
    return decode(file.read_bytes())
