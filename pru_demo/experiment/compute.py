"""Compute a run, a map or measurements and put them into a store.

Used by the engine's workers and the command line.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pru_demo.config import Pick, RunConfig
from pru_demo.experiment import maps
from pru_demo.experiment.keys import (
    classic_key,
    derived,
    features_key,
    has_own_space,
    map_key,
    measures_key,
    perceived_key,
    placed_key,
    run_key,
    weights_key,
)
from pru_demo.experiment.perceived import perceive
from pru_demo.experiment.record import RunRecord, shown_forgotten
from pru_demo.jobs.protocol import Cancelled, Context
from pru_demo.store import Entry, Store

_log = logging.getLogger(__name__)


def run_into(
    store: Store, run: RunConfig, context: Context, *, fresh: bool = False, owner: str = ""
) -> RunRecord:
    """Execute ``run`` and store its weights, features and, last, its record.

    It goes on where an interrupted attempt has stopped, unless a ``fresh`` start is asked for.
    ``owner`` is noted in the record. Originals that must be trained first are kept beside the
    store. Raises Cancelled within a batch of being asked to stop, and what
    :func:`pru_demo.experiment.run.execute` raises.
    """
    # Here, not above: who only looks for keys should not pay for torch's import.
    from pru_demo.experiment.checkpoint import StoredCheckpoints
    from pru_demo.experiment.run import execute

    def beat() -> None:
        if context.cancelled():
            raise Cancelled

    def draw_live(features: NDArray[Any], forgotten: NDArray[np.bool_]) -> None:
        """The map on which pages follow this run: fitted to the original only, and frozen."""
        known = any(store.meta(map_key(run, kind)) for kind in ("time", maps.LIVE))
        if known or has_own_space(run):
            return
        try:
            entry = maps.fit_live(features, ~forgotten, run.scenario.seed)
        except ValueError as error:  # too few samples of one's own data: no reason to end the run
            _log.warning("This run cannot be followed on a map: %s", error)
        else:
            _keep(store, map_key(run, maps.LIVE), entry)

    context.report(message="Loading the network and the images")
    originals = store.directory.parent / "originals"
    checkpoints = StoredCheckpoints(store, run)
    if fresh:
        checkpoints.start_over()
    result = execute(
        run, originals, lambda event: context.report(**event), beat, checkpoints, draw_live
    )
    record = result.record
    if owner:
        record = replace(record, made_with={**record.made_with, "owner": owner})
    weights = {name: tensor.numpy() for name, tensor in result.weights.items()}
    store.put(weights_key(run), {}, weights)
    store.put(features_key(run), {}, result.features)
    _keep(store, perceived_key(run), perceive(record, result.features).to_entry())
    for key in derived(run):
        store.withdraw(key)  # what there is was of the networks before
    # The record last: who finds it finds the rest.
    _keep(store, run_key(run), record.to_entry())
    checkpoints.forget()
    return record


def measure_into(store: Store, run: RunConfig, context: Context) -> dict[str, Any]:
    """Measure the stored ``run`` with everything there is, and store and return the numbers.

    What depends on Retrain is measured if Retrain of the same scenario is stored. Raises as
    :func:`run_into` does, and ValueError with a sentence if the run is not stored.
    """
    from pru_demo.experiment.material import gather
    from pru_demo.experiment.measures import instruments, measure, networks_of
    from pru_demo.experiment.originals import obtain_original
    from pru_demo.heartbeat import listening

    context.report(message="Loading the networks and the images", share=0.0)
    record, weights = _record(store, run), store.get(weights_key(run))
    if weights is None:
        raise ValueError("The weights of this run are no longer stored; run it again.")
    retrain = RunConfig(run.scenario, Pick("retrain", "paper"))
    kept = store.get(weights_key(retrain))

    def beat() -> None:
        if context.cancelled():
            raise Cancelled

    with listening(beat):
        material = gather(run.scenario)
        device = material.test.images.device
        original = obtain_original(run.scenario, store.directory.parent / "originals")
        retrained = None if kept is None else networks_of(record, kept.arrays, device)[0]
        tools = instruments(material, original, retrained)
        measures = measure(
            record,
            networks_of(record, weights.arrays, device),
            tools,
            lambda message, share: context.report(message=message, share=share),
        )
    store.put(measures_key(run), measures, {})
    return measures


def map_into(
    store: Store, runs: Sequence[RunConfig], kind: str, context: Context, *, again: bool = False
) -> list[str]:
    """Place stored ``runs`` of one scenario on its map of a ``kind``, see ``maps.KINDS``.

    The map is fitted on these runs if there is none yet, or if ``again`` is asked for; places on
    an older one then count for nothing. A run whose features are in a space of its own gets a map
    of its own. Returns the keys of the placed runs. Raises ValueError with a sentence if a run or
    its features are no longer stored.
    """
    known = {run: _features(store, run) for run in runs}
    groups = [[run] for run in runs if has_own_space(run)]
    if shared := [run for run in runs if not has_own_space(run)]:
        groups.append(shared)
    for group in groups:
        key = map_key(group[0], kind)
        map_entry = None if again else store.get(key)
        if map_entry is None:
            map_entry = maps.fit(
                kind,
                {str(run.pick): known[run] for run in group},
                ~shown_forgotten(_record(store, group[0])),
                group[0].scenario.seed,
                lambda share: context.report(
                    message="Fitting the map to all snapshots", share=share
                ),
            )
            _keep(store, key, map_entry)
        for run in group:
            context.report(message="Placing the samples and measuring the map", share=1.0)
            placed = maps.place(kind, map_entry, _record(store, run), known[run])
            _keep(store, placed_key(run, kind), placed.to_entry())
    return [placed_key(run, kind) for run in runs]


def classic_into(store: Store, run: RunConfig, snapshot: int, context: Context) -> str:
    """Draw umap-learn's own picture of one ``snapshot`` of a stored run; returns its key.

    Raises ValueError with a sentence if the run has no such snapshot or its features are gone.
    """
    context.report(message="Drawing UMAP's own picture (the first one compiles for half a minute)")
    features = _features(store, run)
    if not 0 <= snapshot < len(features):
        raise ValueError(f"This run has {len(features)} snapshots; there is no number {snapshot}.")
    drawn = maps.draw_classic(features[snapshot], run.scenario.seed)
    found = store.get(classic_key(run))
    known = {} if found is None else dict(found.arrays)
    store.put(classic_key(run), {}, {**known, str(snapshot): drawn})
    return classic_key(run)


def _features(store: Store, run: RunConfig) -> NDArray[Any]:
    entry = store.get(features_key(run))
    if entry is None:
        raise ValueError(
            "The features of a run are no longer stored, so it cannot be drawn; run it again."
        )
    return entry.arrays["features"]


def _record(store: Store, run: RunConfig) -> RunRecord:
    entry = store.get(run_key(run))
    if entry is None:
        raise ValueError("A run is no longer stored; run it again.")
    return RunRecord.from_entry(entry)


def _keep(store: Store, key: str, entry: Entry) -> None:
    store.put(key, entry.meta, entry.arrays)
