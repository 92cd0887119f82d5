"""The table of runs: filtered, newest first, with rows to select.

A row says what was asked, what came out, what it cost, and whose it is.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from pru_demo.config import RunConfig
from pru_demo.data import DATASETS, DatasetSpec
from pru_demo.experiment.spread import Spread
from pru_demo.figures.naming import forgotten_classes, forgotten_name, variant_name
from pru_demo.figures.seeds import with_range
from pru_demo.methods import METHODS, Method
from pru_demo.models import MODELS
from pru_demo.settings import PRESETS, Preset
from pru_demo.ui.runs.stored_runs import StoredRun, is_own

# Two beside each other on a phone, all in one row on a screen.
_FILTER_WIDTH = 168
_SELECTED = "runs.selected"
# So many that what the selection allows stands below them on the same screen.
_ROWS, _ROW_PIXELS = 6.5, 35


_Registry = Mapping[str, DatasetSpec] | Mapping[str, Method] | Mapping[str, Preset]
# What can be asked of a run, and what answers are called in the order in which they are offered;
# those that are in no registry go by the alphabet.
_FILTERS: dict[str, tuple[Callable[[RunConfig], list[str]], _Registry]] = {
    "Data set": (lambda run: [run.scenario.dataset], DATASETS),
    "Forgot": (lambda run: forgotten_classes(run.scenario), {}),
    "Method": (lambda run: [run.pick.method], METHODS),
    "Amount of work": (lambda run: [run.scenario.preset], PRESETS),
}


def filtered_runs(runs: Sequence[StoredRun], mine: str) -> list[StoredRun]:
    """Draw the filters that ``runs`` leave a choice in, and return those that pass."""
    chosen: dict[str, str | None] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for label, (answers, registry) in _FILTERS.items():
            present = {answer for run in runs for answer in answers(run.config)}
            chosen[label] = st.selectbox(
                label,
                [each for each in registry if each in present] or sorted(present),
                index=None,
                format_func=partial(_label, registry),
                placeholder="all",
                key=f"runs.{label}",
                width=_FILTER_WIDTH,
                persist_state="session",
            )
        only_mine = st.toggle(
            "Only mine",
            key="runs.mine",
            persist_state="session",
            help="The runs that this browser started. It is known by a cookie; there are no "
            "accounts.",
        )
    return passing(runs, chosen, owner=mine if only_mine else None)


def _label(registry: _Registry, answer: str) -> str:
    return registry[answer].label if answer in registry else answer


def passing(
    runs: Sequence[StoredRun], chosen: Mapping[str, str | None], *, owner: str | None = None
) -> list[StoredRun]:
    """Those with the ``chosen`` answers, by the filters' labels, and of ``owner``; None is all."""
    return [
        run
        for run in runs
        if owner in (None, run.owner)
        and all(
            answer is None or answer in _FILTERS[label][0](run.config)
            for label, answer in chosen.items()
        )
    ]


def run_table(runs: Sequence[StoredRun], mine: str, zone: tzinfo) -> pd.DataFrame:
    """Rows by key, newest first; ``mine`` is the visitor's owner name, ``zone`` where they are."""
    newest = sorted(runs, key=lambda run: (_moment(run.made, zone), run.key), reverse=True)
    over_seeds = _over_seeds(newest)
    table = pd.DataFrame(
        [_row(run, over_seeds[run.config.with_seed(0)], mine, zone) for run in newest],
        index=[run.key for run in newest],
    )
    # Columns that say nothing as long as every row says this.
    usual = {"forgot with": "D_f", "state": "", **dict.fromkeys(_OVER_SEEDS, "")}
    return table.drop(columns=[name for name in usual if (table[name] == usual[name]).all()])


def selected_keys(table: pd.DataFrame) -> list[str]:
    """Draw ``table`` and return the keys of the rows that are selected, from top to bottom."""
    # Streamlit knows selected rows by position only. So other rows are another widget, which starts
    # with those of the selected runs that it still shows: no other run slips under the selection.
    digest = hashlib.sha256("\n".join(table.index).encode()).hexdigest()[:16]
    kept = set(st.session_state.get(_SELECTED, ()))
    state = st.dataframe(
        table,
        key=f"runs.table.{digest}",
        height=int(min(_ROWS, len(table)) * _ROW_PIXELS) + _ROW_PIXELS + 2,
        row_height=_ROW_PIXELS,
        hide_index=True,
        column_config=_COLUMNS,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={
            "selection": {"rows": [i for i, key in enumerate(table.index) if key in kept]}
        },
        placeholder="–",
        alt="All stored runs: what was asked, what came out, what it cost",
    )
    keys = [str(table.index[row]) for row in sorted(state["selection"]["rows"])]
    st.session_state[_SELECTED] = keys
    return keys


# What comes out of a run, by the column of its mean and range.
_OVER_SEEDS: dict[str, Callable[[StoredRun], float | None]] = {
    "A_f, all seeds": lambda run: run.a_f,
    "A_r, all seeds": lambda run: run.a_r,
    "A_f relearned, all seeds": lambda run: run.highest,
}


def _over_seeds(runs: Iterable[StoredRun]) -> dict[RunConfig, dict[str, str]]:
    """What came out over the seeds of each run, by the run with seed 0; "" where there is one."""
    groups: dict[RunConfig, list[StoredRun]] = defaultdict(list)
    for run in runs:
        groups[run.config.with_seed(0)] += [] if run.failure else [run]
    return {
        shared: {column: _range(map(outcome, group)) for column, outcome in _OVER_SEEDS.items()}
        for shared, group in groups.items()
    }


def _range(values: Iterable[float | None]) -> str:
    spread = Spread.of_known(values)
    return "" if spread is None or spread.runs < 2 else with_range(spread)


def _row(
    run: StoredRun, over_seeds: Mapping[str, str], mine: str, zone: tzinfo
) -> dict[str, str | int | float | None]:
    scenario, pick = run.config.scenario, run.config.pick
    network = MODELS[scenario.model].label
    given = scenario.given
    if scenario.forget_samples is not None:
        given += f", at most {scenario.forget_samples}"
    # What differs most between runs comes first: a phone shows no more than five.
    return {
        "method": METHODS[pick.method].label,
        "variant": variant_name(pick),
        "forgot": forgotten_name(scenario),
        "A_f": run.a_f,
        "A_r": run.a_r,
        "A_f relearned": run.highest,
        "A_f BatchNorm only": run.batch_norm_only,
        "state": f"broken: {run.failure}" if run.failure else "",
        "preset": PRESETS[scenario.preset].label,
        "data set": DATASETS[scenario.dataset].label,
        "whose": whose(run, mine),
        "when": _moment(run.made, zone),
        "seconds": run.seconds,
        "forgot with": given,
        "network": f"{network}, own {scenario.original[:6]}" if scenario.original else network,
        "seed": scenario.seed,
        **over_seeds,
        "device": run.device,
    }


def whose(run: StoredRun, mine: str) -> str:
    """In words for a column."""
    if run.shipped:
        return "shipped"
    if not run.owner:
        return "not recorded"
    return "you" if is_own(run, mine) else "another visitor"


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


def _text(width: int, meaning: str | None = None) -> Any:
    return st.column_config.TextColumn(width=width, help=meaning)


def _percent(label: str, width: int, meaning: str) -> Any:
    return st.column_config.NumberColumn(
        label, width=width, help=f"{meaning}, in percent.", format="%.1f"
    )


# Wide enough for what stands in them most often, and narrow enough for a screen to show when a run
# was made and whose it is.
_COLUMNS: dict[str, Any] = {
    "method": _text(140),
    "variant": _text(78),
    "forgot": _text(64),
    "A_f": _percent("A_f", 58, "Accuracy on the forgotten classes right after unlearning"),
    "A_r": _percent("A_r", 58, "Accuracy on all other classes right after unlearning"),
    "A_f relearned": _percent(
        "A_f relearned", 106, "The highest A_f of all epochs of relearning on the other classes"
    ),
    "A_f BatchNorm only": _percent(
        "A_f BN only",
        98,
        "A_f after one pass over the other classes that refreshes BatchNorm's statistics and moves "
        "no weight",
    ),
    "state": _text(90, "Why there is nothing to measure: a broken network has not forgotten."),
    "preset": _text(86),
    "data set": _text(78),
    "forgot with": _text(90, "D_f: images it learned from. D_f_new: images it has never seen."),
    "whose": _text(
        108,
        "**you**: started by this browser. **shipped**: comes with the program. **not recorded**: "
        "from the command line, or older than this column.",
    ),
    "when": _text(146, "When the run was made, by your clock."),
    "seconds": st.column_config.NumberColumn(
        width=66, format="%.0f", help="All of the run, relearning and measuring included."
    ),
    "network": _text(210),
    "seed": st.column_config.NumberColumn(width=52, format="%d"),
    **{
        column: _text(
            230,
            "Mean, and lowest to highest, in percent, over all rows of this table that differ in "
            "nothing but their seed; broken networks are left out.",
        )
        for column in _OVER_SEEDS
    },
    "device": _text(190),
}
