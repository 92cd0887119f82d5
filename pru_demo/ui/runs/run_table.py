"""Stored runs as a table: what was asked, what came out, what it cost, and whose it is.

Pure functions. What they read may have been written by another version, or by whoever could write
to the store's folder: an entry that this installation does not understand is no run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

import pandas as pd

from pru_demo.config import RunConfig, View, view_from_query
from pru_demo.data import DATASETS
from pru_demo.experiment.keys import run_key
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.naming import forgotten_name
from pru_demo.methods import METHODS
from pru_demo.models import MODELS
from pru_demo.settings import PRESETS
from pru_demo.store.entry import JSON, Entry

YOU, SHIPPED, ANOTHER, UNKNOWN = "you", "shipped", "another visitor", "not recorded"

# Columns that say nothing as long as every row says this.
_USUAL = {"forgot with": "D_f", "state": ""}


@dataclass(frozen=True)
class StoredRun:
    """One row. Accuracies in percent; None is what was not computed or not recorded.

    ``highest``: the highest A_f of all relearning epochs. ``made``: ISO date, with the time since
    runs record it. ``owner``: see ``ui.visitor``, "" if nobody's.
    """

    key: str
    config: RunConfig
    a_f: float | None
    a_r: float
    highest: float | None
    batch_norm_only: float | None
    failure: str
    seconds: float | None
    device: str
    made: str
    owner: str
    shipped: bool


@dataclass(frozen=True)
class RunFilter:
    """Which rows are wanted; None is all. ``forgot`` is the name of a class."""

    dataset: str | None = None
    method: str | None = None
    preset: str | None = None
    forgot: str | None = None
    owner: str | None = None

    def wants(self, run: StoredRun) -> bool:
        """Whether ``run`` is one of them."""
        scenario = run.config.scenario
        return (
            self.dataset in (None, scenario.dataset)
            and self.method in (None, run.config.pick.method)
            and self.preset in (None, scenario.preset)
            and (self.forgot is None or self.forgot in forgotten_classes(run.config))
            and self.owner in (None, run.owner)
        )


def read_run(key: str, meta: Mapping[str, JSON], *, shipped: bool) -> StoredRun | None:
    """The row of a record's header, or None if it is none that this installation understands."""
    try:
        record = RunRecord.from_entry(Entry(dict(meta), {}))
        if key != run_key(record.config) or not _is_known(record.config):
            return None
        a_f, a_r = ([float(a) for a in record.relearning(name)] for name in ("A_f", "A_r"))
        control = record.batch_norm_only
        made_with = {name: str(value) for name, value in record.made_with.items()}
        return StoredRun(
            key,
            record.config,
            # A network that answers one class to everything has not forgotten: it is broken.
            a_f=None if record.failure else a_f[0],
            a_r=a_r[0],
            highest=max(a_f[1:], default=None),
            batch_norm_only=None if control is None else float(control["A_f"]),
            failure=str(record.failure or ""),
            seconds=_number(record.seconds.get("total")),
            device=made_with.get("device", ""),
            made=made_with.get("made", ""),
            owner=made_with.get("owner", ""),
            shipped=shipped,
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def run_table(runs: Sequence[StoredRun], mine: str, zone: tzinfo) -> pd.DataFrame:
    """Rows by key, newest first; ``mine`` is the visitor's owner name, ``zone`` where they are."""
    newest = sorted(runs, key=lambda run: (_moment(run.made, zone), run.key), reverse=True)
    rows = [_row(run, mine, zone) for run in newest]
    table = pd.DataFrame(rows, index=[run.key for run in newest], columns=list(_COLUMNS))
    silent = [name for name, usual in _USUAL.items() if (table[name] == usual).all()]
    return table.drop(columns=silent)


def forgotten_classes(config: RunConfig) -> list[str]:
    """The names of the classes that a run forgot."""
    names = DATASETS[config.scenario.dataset].class_names
    return [names[c] for c in config.scenario.forget]


def whose(run: StoredRun, mine: str) -> str:
    """In words for a column."""
    if run.shipped:
        return SHIPPED
    if not run.owner:
        return UNKNOWN
    return YOU if run.owner == mine else ANOTHER


# What differs most between runs comes first: a phone shows no more than five.
_COLUMNS = (
    "method",
    "variant",
    "forgot",
    "A_f",
    "A_r",
    "A_f relearned",
    "A_f BatchNorm only",
    "state",
    "preset",
    "data set",
    "whose",
    "when",
    "seconds",
    "forgot with",
    "network",
    "seed",
    "device",
)


def _row(run: StoredRun, mine: str, zone: tzinfo) -> dict[str, str | int | float | None]:
    scenario, pick = run.config.scenario, run.config.pick
    network = MODELS[scenario.model].label
    given = scenario.given
    if scenario.forget_samples is not None:
        given += f", at most {scenario.forget_samples}"
    return {
        "forgot": forgotten_name(scenario),
        "method": METHODS[pick.method].label,
        "variant": pick.variant,
        "A_f": run.a_f,
        "A_r": run.a_r,
        "A_f relearned": run.highest,
        "A_f BatchNorm only": run.batch_norm_only,
        "state": f"broken: {run.failure}" if run.failure else "",
        "preset": PRESETS[scenario.preset].label,
        "forgot with": given,
        "data set": DATASETS[scenario.dataset].label,
        "network": f"{network}, own {scenario.original[:6]}" if scenario.original else network,
        "seed": scenario.seed,
        "seconds": run.seconds,
        "when": _moment(run.made, zone),
        "whose": whose(run, mine),
        "device": run.device,
    }


def _is_known(config: RunConfig) -> bool:
    """Held to the rules of a link, so that every run of the table can be opened by one."""
    view = View(config.scenario, config.pick, config.pick)
    return view_from_query(view.query()) == (view, [])


def _number(value: JSON) -> float | None:
    return None if value is None else float(value)


def _moment(made: str, zone: tzinfo) -> str:
    """``2026-11-24 14:03`` where the visitor is, or the date alone; sorts by time as text does."""
    try:
        moment = datetime.fromisoformat(made)
    except ValueError:
        return ""
    if len(made) <= len("2026-11-24"):
        return made
    if moment.tzinfo is not None:
        moment = moment.astimezone(zone)
    return moment.strftime("%Y-%m-%d %H:%M")
