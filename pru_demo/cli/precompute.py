"""Makes the records that ship with the application: ``python -m pru_demo precompute``."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from pru_demo.cli.batch import Jobs, title_of
from pru_demo.cli.options import Commands
from pru_demo.config import RunConfig, Scenario, runs_of
from pru_demo.experiment.keys import (
    attack_key,
    classic_key,
    inside_key,
    placed_key,
    run_key,
    shipped,
    usual,
    weights_key,
)
from pru_demo.experiment.maps import KINDS
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.tasks import ATTACK, CLASSIC, INSIDE, MAP, classic_job_key, map_job_key
from pru_demo.figures.naming import is_control
from pru_demo.paths import RECORDS
from pru_demo.settings import PRESETS
from pru_demo.store import Entry, Store, default_store_directory, write_bundle

BUNDLED: tuple[Scenario, ...] = tuple(Scenario(preset=preset) for preset in PRESETS)
# Shipping every method and ablation would make the repository three times as big.
_BOTH = (
    *("pru:rehearsed", "pru:tuned", "pru:paper", "pru:released"),
    *("boundary_shrink:tuned", "boundary_shrink:paper", "boundary_shrink:released"),
    *("retrain:paper", "original:paper", "mask:default", "head_only:default"),
)
SHIPPED = {"classroom": (*_BOTH, "delete:rehearsed"), "full": _BOTH}


def add_precompute_command(commands: Commands) -> None:
    parser = commands.add_parser("precompute", help="make the bundled records again")
    parser.add_argument("--out", type=Path, default=RECORDS, help="directory of records")
    parser.set_defaults(command=_precompute)


def _precompute(options: argparse.Namespace) -> None:
    # A store of its own, without the bundled layer: what is to be made again must not be found.
    work = Store(default_store_directory().with_name("precompute"))
    with Jobs(work.directory, bundled=False) as jobs:
        for run in precompute(BUNDLED, work, options.out, jobs):
            print(f"{run.scenario.preset}: {title_of(run)}")
    print(options.out)


def shipped_runs(scenario: Scenario) -> list[RunConfig]:
    """The runs of ``scenario`` that ship."""
    return [run for run in runs_of(scenario) if str(run.pick) in SHIPPED[scenario.preset]]


def precompute(
    scenarios: Sequence[Scenario], work: Store, bundle: Path, jobs: Jobs
) -> Iterator[RunConfig]:
    """Compute all runs and maps of ``scenarios`` and write them to the folder ``bundle``.

    ``jobs`` computes into ``work``. Yields each run when it is there. What ``work`` already holds
    is not computed again, so an interrupted call goes on where it stopped.
    """
    names: dict[str, str] = {}
    for scenario in scenarios:
        runs = shipped_runs(scenario)
        yield from jobs.run(runs, again=False)
        for kind in KINDS:
            _draw(work, jobs, runs, kind)
        for run in runs:
            _finish(work, jobs, run)
            names |= shipped(run)
    entries: dict[str, Entry] = {}
    for key, name in names.items():
        entry = work.get(key)
        if entry is None:
            raise ValueError(f"{name} has vanished from the work store; run the command again.")
        entries[key] = entry
    write_bundle(bundle, entries, names)


def _draw(work: Store, jobs: Jobs, runs: Sequence[RunConfig], kind: str) -> None:
    """Put all ``runs`` on the map of a kind; it is fitted without the controls, which see what the
    original sees and would only make that weigh more."""
    controls = [run for run in runs if is_control(run.pick)]
    for group in ([run for run in runs if run not in controls], controls):
        if any(work.meta(placed_key(run, kind)) is None for run in group):
            arguments = {"configs": [run.content() for run in group], "kind": kind}
            title = f"{kind} map of {group[0].scenario.preset}"
            jobs.do(MAP, arguments, map_job_key(group, kind), title)


def _finish(work: Store, jobs: Jobs, run: RunConfig) -> None:
    """Attack and measure ``run``, and draw umap-learn's picture of every snapshot."""
    _attack(work, run)
    for attack in usual(run):
        key = attack_key(run, attack)
        if work.meta(key) is None:
            asked = {"config": run.content(), "attack": vars(attack)}
            jobs.do(ATTACK, asked, key, f"{title_of(run)}, attack {attack}")
    if work.meta(inside_key(run)) is None:
        title = f"{title_of(run)}, measuring"
        jobs.do(INSIDE, {"config": run.content()}, inside_key(run), title)
    record, classic = work.meta(run_key(run)), work.get(classic_key(run))
    known = set() if classic is None else set(classic.arrays)
    for snapshot in range(len(record["snapshots"]) if record else 0):
        if str(snapshot) not in known:
            arguments = {"config": run.content(), "snapshot": snapshot}
            key = classic_job_key(run, snapshot)
            jobs.do(CLASSIC, arguments, key, f"{title_of(run)}, UMAP of snapshot {snapshot}")


def _attack(work: Store, run: RunConfig) -> None:
    """Complete the record of ``run`` if it is older than the attacks."""
    entry, weights = work.get(run_key(run)), work.get(weights_key(run))
    if entry is None or weights is None:
        return
    record = RunRecord.from_entry(entry, run)
    if record.attacks is None:
        from pru_demo.experiment.attacked import with_attacks

        attacked = with_attacks(record, weights).to_entry()
        work.put(run_key(run), attacked.meta, attacked.arrays)
