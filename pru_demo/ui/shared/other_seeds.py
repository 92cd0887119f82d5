"""The same runs with other seeds, where the store has them, and what is said of them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from pru_demo.config import RunConfig, Scenario
from pru_demo.experiment.keys import RUN_PREFIX, run_key
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.spread import whole_runs
from pru_demo.figures.seeds import Seeds
from pru_demo.store.entry import Entry
from pru_demo.ui.shared.services import STORE
from pru_demo.ui.shared.texts import text

# What an entry can be that another version wrote, or somebody else: no run that is known here.
_FOREIGN = (AttributeError, KeyError, TypeError, ValueError)


def seeds_of(records: Iterable[RunRecord]) -> Seeds:
    """Each of ``records`` and, after it, those of the same run with other seeds, without arrays."""
    stored = _stored_runs()
    known, seeds = set(stored), _seeds_by_scenario(stored)
    found = {}
    for record in records:
        scenario = record.config.scenario
        others = seeds[_seedless(scenario)] - {scenario.seed}
        runs = [record.config.with_seed(seed) for seed in sorted(others)]
        repeated = [_header_of(run) for run in runs if run_key(run) in known]
        found[record.config.pick] = [record, *(each for each in repeated if each is not None)]
    return found


def seeds_said(seeds: Seeds) -> str:
    """What the bands of ``seeds`` are and what they leave out; "" if every run has one seed."""
    several = [runs for runs in seeds.values() if len(runs) > 1]
    whole = [len(whole_runs(runs)) for runs in several]
    counts = sorted({count for count in whole if count > 1})
    broken = sum(map(len, several)) - sum(whole)
    said = []
    if counts:
        ends = dict.fromkeys((counts[0], counts[-1]))
        said.append(text("shared.seeds", count="–".join(map(str, ends))))
    if broken:
        said.append(text("shared.broken_seeds", count=broken))
    return " ".join(said)


def _stored_runs() -> list[str]:
    try:
        return STORE.keys(RUN_PREFIX)
    except OSError:  # what a page shows of one seed it can read nevertheless
        return []


def _seeds_by_scenario(keys: Iterable[str]) -> dict[Scenario, set[int]]:
    """With which seeds there are runs, whatever the method."""
    found: dict[Scenario, set[int]] = defaultdict(set)
    for key in keys:
        try:
            scenario = _scenario_of(key)
            found[_seedless(scenario)].add(scenario.seed)
        except _FOREIGN:
            continue
    return found


def _seedless(scenario: Scenario) -> Scenario:
    return replace(scenario, seed=0)


@lru_cache(maxsize=10_000)  # as long as the process runs: a key stands for one scenario for ever
def _scenario_of(key: str) -> Scenario:
    """Raises one of ``_FOREIGN``, which is not remembered, for what is no run, or not any more."""
    header = STORE.meta(key) or {}
    scenario = RunConfig.from_content(header["config"]).scenario
    if not isinstance(scenario.seed, int):
        raise TypeError(f"{scenario.seed!r} is no seed")
    return scenario


def _header_of(config: RunConfig) -> RunRecord | None:
    header = STORE.meta(run_key(config))
    if header is None:
        return None
    try:
        return RunRecord.from_entry(Entry(header), config)
    except _FOREIGN:
        return None
