"""What the engine's workers are asked to do, by name. Arguments and results are JSON."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from threading import Thread
from typing import Any

from pru_demo.config import RunConfig
from pru_demo.experiment.compute import classic_into, map_into, measure_into, run_into
from pru_demo.experiment.keys import classic_key, map_key, measures_key, run_key
from pru_demo.jobs.protocol import Context
from pru_demo.jobs.worker_store import worker_store
from pru_demo.projection import warm_up
from pru_demo.store.entry import canonical_json

RUN = "pru_demo.experiment.tasks:compute_run"
MAP = "pru_demo.experiment.tasks:compute_map"
CLASSIC = "pru_demo.experiment.tasks:compute_classic"
MEASURE = "pru_demo.experiment.tasks:compute_measures"


def compute_run(
    context: Context,
    config: Mapping[str, Any],
    again: bool = False,
    resume: bool = False,
    owner: str = "",
) -> str:
    """Compute the run ``config`` (JSON of a RunConfig) and store it; returns its key.

    What is stored already is computed only if ``again`` is asked for, and then from the beginning
    unless ``resume`` is, too. ``owner`` is noted in the record.
    """
    run, store = RunConfig.from_content(config), worker_store()
    # The whole entry, not its header: a damaged record must be computed again.
    if again or store.get(run_key(run)) is None:
        # The second attempt goes on with what the first one left when its process died.
        fresh = again and not resume and context.attempt == 1
        run_into(store, run, context, fresh=fresh, owner=owner)
    return run_key(run)


def compute_map(
    context: Context, configs: list[Mapping[str, Any]], kind: str, again: bool = False
) -> list[str]:
    """Place stored runs (JSON of RunConfigs) of one scenario on its map of a kind.

    ``again`` fits the map anew, to these runs. Returns the keys of the placed runs.
    """
    runs = [RunConfig.from_content(c) for c in configs]
    keys = map_into(worker_store(), runs, kind, context, again=again)
    _compile_umap()
    return keys


def compute_classic(context: Context, config: Mapping[str, Any], snapshot: int) -> str:
    """Draw umap-learn's own picture of a stored run's snapshot; returns the key of its pictures."""
    return classic_into(worker_store(), RunConfig.from_content(config), snapshot, context)


@lru_cache(maxsize=1)
def _compile_umap() -> None:
    """Meanwhile: who looks at a map may ask for umap-learn's next, which compiles half a minute."""
    Thread(target=warm_up, daemon=True).start()


def compute_measures(context: Context, config: Mapping[str, Any]) -> str:
    """Measure the stored run ``config`` (JSON of a RunConfig) finely; returns the measures' key."""
    run = RunConfig.from_content(config)
    measure_into(worker_store(), run, context)
    return measures_key(run)


def shape_of(config: RunConfig) -> str:
    """What decides how long a run takes: everything but which classes, which seed."""
    content = {k: v for k, v in config.content().items() if k not in ("forget", "seed")}
    return canonical_json({**content, "classes": len(config.scenario.forget)})


def map_job_key(configs: Sequence[RunConfig], kind: str) -> str:
    """Key under which the engine knows the drawing of these runs of one scenario."""
    return ":".join([map_key(configs[0], kind), *sorted(str(c.pick) for c in configs)])


def classic_job_key(config: RunConfig, snapshot: int) -> str:
    """Key under which the engine knows the drawing of umap-learn's picture of a snapshot."""
    return f"{classic_key(config)}:{snapshot}"
