"""What the engine's workers are asked to do, by name: compute something and put it into the store.

Arguments and results are JSON: configurations as ``RunConfig.content`` has them, store keys. All
raise Cancelled within a batch of being asked to stop, and ValueError with a sentence where what
they start from is no longer stored.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pru_demo.config import Pick, RunConfig
from pru_demo.experiment import keys, maps
from pru_demo.experiment.attack import Attack
from pru_demo.experiment.checkpoint import Checkpoints
from pru_demo.experiment.perceived import perceive
from pru_demo.experiment.record import KEPT_EPOCHS, RunRecord
from pru_demo.heartbeat import listening
from pru_demo.jobs.protocol import Cancelled, Context
from pru_demo.jobs.worker_store import worker_store
from pru_demo.projection.umap_maps import classic_umap, warm_up
from pru_demo.store import Entry, Store
from pru_demo.store.entry import canonical_json

if TYPE_CHECKING:  # who only looks for names and keys should not pay for torch's import
    from pru_demo.experiment.inside import Bench

RUN = "pru_demo.experiment.tasks:compute_run"
MAP = "pru_demo.experiment.tasks:compute_map"
CLASSIC = "pru_demo.experiment.tasks:compute_classic"
INSIDE = "pru_demo.experiment.tasks:compute_inside"
MEASURE = "pru_demo.experiment.tasks:compute_measures"
ATTACK = "pru_demo.experiment.tasks:compute_attack"

_log = logging.getLogger(__name__)


def compute_run(
    context: Context,
    config: Mapping[str, Any],
    again: bool = False,
    resume: bool = False,
    owner: str = "",
) -> str:
    """Compute a run and store its weights, features and, last, its record; returns its key.

    What is stored already is computed only if ``again`` is asked for, and then from the beginning
    unless ``resume`` is, too. Otherwise it goes on where an interrupted attempt has stopped.
    ``owner`` is noted in the record. Originals that must be trained first are kept beside the
    store. Raises what :func:`pru_demo.experiment.run.execute` raises.
    """
    run, store = RunConfig.from_content(config), worker_store()
    # The whole entry, not its header: a damaged record must be computed again.
    if not again and store.get(keys.run_key(run)) is not None:
        return keys.run_key(run)
    from pru_demo.experiment.run import execute

    def draw_live(features: NDArray[Any], forgotten: NDArray[np.bool_]) -> None:
        """The map on which pages follow this run: fitted to the original only, and frozen."""
        known = any(store.meta(keys.map_key(run, kind)) for kind in ("time", maps.LIVE))
        if known or keys.has_own_space(run):
            return
        try:
            entry = maps.fit_live(features, ~forgotten, run.scenario.seed)
        except ValueError as error:  # too few samples of one's own data: no reason to end the run
            _log.warning("This run cannot be followed on a map: %s", error)
        else:
            _keep(store, keys.map_key(run, maps.LIVE), entry)

    context.report(message="Loading the network and the images")
    checkpoints = Checkpoints(store, run)
    # The second attempt goes on with what the first one left when its process died.
    if again and not resume and context.attempt == 1:
        checkpoints.start_over()
    with listening(partial(_stop_if_cancelled, context)):
        result = execute(
            run,
            store.directory.parent / "originals",
            lambda event: context.report(**event),
            checkpoints,
            draw_live,
        )
    record = result.record
    if owner:
        record = replace(record, made_with={**record.made_with, "owner": owner})
    store.put(keys.weights_key(run), {}, result.weights)
    store.put(keys.features_key(run), {}, result.features)
    _keep(store, keys.perceived_key(run), perceive(record, result.features).to_entry())
    for key in keys.derived(run):
        store.withdraw(key)  # what there is was of the networks before
    # The record last: who finds it finds the rest.
    _keep(store, keys.run_key(run), record.to_entry())
    checkpoints.forget()
    return keys.run_key(run)


def compute_map(
    context: Context, configs: Sequence[Mapping[str, Any]], kind: str, again: bool = False
) -> list[str]:
    """Place stored runs of one scenario on its map of a ``kind``, see ``maps.KINDS``.

    The map is fitted on these runs if there is none yet, or if ``again`` is asked for; places on
    an older one then count for nothing. A run whose features are in a space of its own gets a map
    of its own. Returns the keys of the placed runs.
    """
    store, runs = worker_store(), [RunConfig.from_content(config) for config in configs]
    known = {run: _features(store, run) for run in runs}
    groups = [[run] for run in runs if keys.has_own_space(run)]
    if shared := [run for run in runs if not keys.has_own_space(run)]:
        groups.append(shared)
    for group in groups:
        key = keys.map_key(group[0], kind)
        map_entry = None if again else store.get(key)
        if map_entry is None:
            map_entry = maps.fit(
                kind,
                {str(run.pick): known[run] for run in group},
                ~_record(store, group[0]).forgotten,
                group[0].scenario.seed,
                lambda share: context.report(
                    message="Fitting the map to all snapshots", share=share
                ),
            )
            _keep(store, key, map_entry)
        for run in group:
            context.report(message="Placing the samples and measuring the map", share=1.0)
            placed = maps.place(kind, map_entry, _record(store, run), known[run])
            _keep(store, keys.placed_key(run, kind), placed.to_entry())
    _compile_umap()
    return [keys.placed_key(run, kind) for run in runs]


@lru_cache(maxsize=1)
def _compile_umap() -> None:
    """Meanwhile: who looks at a map may ask for umap-learn's next, which compiles half a minute."""
    Thread(target=warm_up, daemon=True).start()


def compute_classic(context: Context, config: Mapping[str, Any], snapshot: int) -> str:
    """Draw umap-learn's own picture of one ``snapshot`` of a stored run; returns the key of its
    pictures. Raises ValueError with a sentence if the run has no such snapshot."""
    run, store = RunConfig.from_content(config), worker_store()
    context.report(message="Drawing UMAP's own picture (the first one compiles for half a minute)")
    features = _features(store, run)
    if not 0 <= snapshot < len(features):
        raise ValueError(f"This run has {len(features)} snapshots; there is no number {snapshot}.")
    drawn = classic_umap(features[snapshot].astype(np.float32), seed=run.scenario.seed)
    before = store.get(keys.classic_key(run))
    known = {} if before is None else before.arrays
    store.put(keys.classic_key(run), {}, {**known, str(snapshot): drawn.astype(np.float16)})
    return keys.classic_key(run)


def compute_inside(context: Context, config: Mapping[str, Any]) -> str:
    """Measure what pages show of a stored run's networks; returns the key of that.

    What depends on Retrain is measured if Retrain of the same scenario is stored.
    """
    from pru_demo.experiment.inside import measure_inside

    run, store = RunConfig.from_content(config), worker_store()
    with listening(partial(_stop_if_cancelled, context)):
        shown = measure_inside(_bench(store, run, context, (0,)), _told(context, 0.0, 1.0))
    store.put(keys.inside_key(run), shown, {})
    return keys.inside_key(run)


def compute_measures(context: Context, config: Mapping[str, Any]) -> str:
    """Measure a stored run with everything there is, also what only files are made of.

    Returns the key of the latter; the rest is stored as by :func:`compute_inside`.
    """
    from pru_demo.experiment.inside import measure_inside
    from pru_demo.experiment.measures import measure

    run, store = RunConfig.from_content(config), worker_store()
    with listening(partial(_stop_if_cancelled, context)):
        bench = _bench(store, run, context, KEPT_EPOCHS)
        shown = measure_inside(bench, _told(context, 0.0, 0.15))
        rest = measure(bench, _told(context, 0.15, 1.0))
    store.put(keys.inside_key(run), shown, {})
    store.put(keys.measures_key(run), rest, {})
    return keys.measures_key(run)


def compute_attack(context: Context, config: Mapping[str, Any], attack: Mapping[str, Any]) -> str:
    """Attack a stored run's network right after unlearning; returns the key of what was found."""
    from pru_demo.experiment.attacked import carry_out

    run, store, chosen = RunConfig.from_content(config), worker_store(), Attack(**attack)
    context.report(message="Loading the network and the images", share=0.0)
    record, weights = _record(store, run), _weights(store, run)
    with listening(partial(_stop_if_cancelled, context)):
        found = carry_out(chosen, record, weights, _told(context, 0.0, 1.0))
    _keep(store, keys.attack_key(run, chosen), found)
    return keys.attack_key(run, chosen)


def _bench(store: Store, run: RunConfig, context: Context, epochs: Sequence[int]) -> "Bench":
    """All that a run is measured with, of its stored networks those of some ``epochs``."""
    from pru_demo.experiment.inside import Bench
    from pru_demo.experiment.material import gather
    from pru_demo.experiment.originals import obtain_original
    from pru_demo.experiment.stored_networks import stored_networks

    context.report(message="Loading the networks and the images", share=0.0)
    record, weights = _record(store, run), _weights(store, run)
    reference = store.get(keys.weights_key(RunConfig(run.scenario, Pick("retrain", "paper"))))
    return Bench(
        record,
        gather(run.scenario),
        stored_networks(run.scenario, weights.arrays, epochs),
        obtain_original(run.scenario, store.directory.parent / "originals"),
        None if reference is None else stored_networks(run.scenario, reference.arrays, (0,))[0],
    )


def _told(context: Context, since: float, until: float) -> Callable[[str, float], None]:
    """Reports what is being measured, which takes the time between two shares of the whole."""
    return lambda message, share: context.report(
        message=message, share=since + (until - since) * share
    )


def _stop_if_cancelled(context: Context) -> None:
    if context.cancelled():
        raise Cancelled


def _features(store: Store, run: RunConfig) -> NDArray[Any]:
    entry = store.get(keys.features_key(run))
    if entry is None:
        raise ValueError(
            "The features of a run are no longer stored, so it cannot be drawn; run it again."
        )
    return entry.arrays["features"]


def _record(store: Store, run: RunConfig) -> RunRecord:
    entry = store.get(keys.run_key(run))
    if entry is None:
        raise ValueError("A run is no longer stored; run it again.")
    return RunRecord.from_entry(entry, run)


def _weights(store: Store, run: RunConfig) -> Entry:
    entry = store.get(keys.weights_key(run))
    if entry is None:
        raise ValueError("The weights of this run are no longer stored; run it again.")
    return entry


def _keep(store: Store, key: str, entry: Entry) -> None:
    store.put(key, entry.meta, entry.arrays)


def shape_of(config: RunConfig) -> str:
    """What decides how long a run takes: everything but which classes, which seed."""
    content = {k: v for k, v in config.content().items() if k not in ("forget", "seed")}
    return canonical_json({**content, "classes": len(config.scenario.forget)})


def map_job_key(configs: Sequence[RunConfig], kind: str) -> str:
    """Key under which the engine knows the drawing of these runs of one scenario."""
    return ":".join([keys.map_key(configs[0], kind), *sorted(str(c.pick) for c in configs)])


def classic_job_key(config: RunConfig, snapshot: int) -> str:
    """Key under which the engine knows the drawing of umap-learn's picture of a snapshot."""
    return f"{keys.classic_key(config)}:{snapshot}"
