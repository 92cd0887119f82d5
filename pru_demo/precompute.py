"""Makes the records that ship with the application: ``python -m pru_demo precompute``."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pru_demo.cli_jobs import Jobs
from pru_demo.config import PRESETS, Pick, RunConfig, Scenario, variants_of
from pru_demo.runs.maps import has_own_space, map_key, placed_key
from pru_demo.runs.record import run_key, weights_key
from pru_demo.runs.store import Entry, Store, write_bundle
from pru_demo.runs.tasks import MAP, map_job_key

BUNDLED: tuple[Scenario, ...] = tuple(Scenario(preset=preset) for preset in PRESETS)
# Shipping every method and ablation would make the repository three times as big.
METHODS_SHIPPED = ("pru", "boundary_shrink", "retrain", "original")
VARIANTS_SHIPPED = ("tuned", "paper", "released")


def runs_of(scenario: Scenario) -> list[RunConfig]:
    """The runs of ``scenario`` that ship."""
    return [
        RunConfig(scenario, Pick(method, variant))
        for method in METHODS_SHIPPED
        for variant in variants_of(method, scenario)
        if variant in VARIANTS_SHIPPED
    ]


def precompute(
    scenarios: Sequence[Scenario], work: Store, bundle: Path, jobs: Jobs
) -> Iterator[RunConfig]:
    """Compute all runs and maps of ``scenarios`` and write them to the folder ``bundle``.

    ``jobs`` computes into ``work``. Yields each run when it is there. What ``work`` already holds
    is not computed again, so an interrupted call goes on where it stopped.
    """
    entries: dict[str, Entry] = {}
    names: dict[str, str] = {}

    def ship(key: str, name: str) -> None:
        entry = work.get(key)
        if entry is None:
            raise ValueError(f"{name} has vanished from the work store; run the command again.")
        entries[key], names[key] = entry, name

    for scenario in scenarios:
        runs = runs_of(scenario)
        yield from jobs.run(runs, again=False)
        mapped = [run for run in runs if not has_own_space(run)]
        if any(work.meta(placed_key(run)) is None for run in mapped):
            configs = [run.content() for run in mapped]
            key = map_job_key(scenario, [run.pick for run in mapped])
            jobs.do(MAP, {"configs": configs}, key, f"map of {scenario.preset}")
        stem = _stem(scenario)
        ship(map_key(scenario), f"{stem}.map")
        for run in runs:
            name = f"{stem}-{run.pick.method}-{run.pick.variant}"
            ship(run_key(run), f"{name}.run")
            ship(weights_key(run), f"{name}.weights")
            if run in mapped:
                ship(placed_key(run), f"{name}.placed")
    write_bundle(bundle, entries, names)


def _stem(scenario: Scenario) -> str:
    classes = "-".join(map(str, scenario.forget))
    return f"{scenario.dataset}-{scenario.model}-{classes}-{scenario.preset}-seed{scenario.seed}"
