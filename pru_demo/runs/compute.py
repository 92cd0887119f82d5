"""Compute a run, a map or measurements and put them into a store.

Used by the engine's workers and the command line.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pru_demo.config import Pick, RunConfig
from pru_demo.runs import maps
from pru_demo.runs.engine.protocol import Cancelled, Context
from pru_demo.runs.record import (
    RunRecord,
    features_key,
    measures_key,
    run_key,
    shown_forgotten,
    weights_key,
)
from pru_demo.runs.store import Store


def run_into(
    store: Store, run: RunConfig, context: Context, *, fresh: bool = False, owner: str = ""
) -> RunRecord:
    """Execute ``run`` and store its weights, features and, last, its record.

    It goes on where an interrupted attempt has stopped, unless a ``fresh`` start is asked for.
    ``owner`` is noted in the record. Originals that must be trained first are kept beside the
    store. Raises Cancelled within a batch of being asked to stop, and what
    :func:`pru_demo.runs.pipeline.execute` raises.
    """
    # Here, not above: who only looks for keys should not pay for torch's import.
    from pru_demo.runs.checkpoint import StoredCheckpoints
    from pru_demo.runs.pipeline import execute

    def beat() -> None:
        if context.cancelled():
            raise Cancelled

    context.report(message="Loading the network and the images")
    originals = store.directory.parent / "originals"
    checkpoints = StoredCheckpoints(store, run)
    if fresh:
        checkpoints.start_over()
    result = execute(run, originals, lambda event: context.report(**event), beat, checkpoints)
    record = result.record
    if owner:
        record = replace(record, made_with={**record.made_with, "owner": owner})
    weights = {name: tensor.numpy() for name, tensor in result.weights.items()}
    store.put(weights_key(run), {}, weights)
    store.put(features_key(run), {}, {"features": result.features})
    # The record last: who finds it finds the rest.
    entry = record.to_entry()
    store.put(run_key(run), entry.meta, entry.arrays)
    checkpoints.forget()
    return record


def measure_into(store: Store, run: RunConfig, context: Context) -> dict[str, Any]:
    """Measure the stored ``run`` with everything there is, and store and return the numbers.

    What depends on Retrain is measured if Retrain of the same scenario is stored. Raises as
    :func:`run_into` does, and ValueError with a sentence if the run is not stored.
    """
    from pru_demo.heartbeat import listening
    from pru_demo.originals import obtain_original
    from pru_demo.runs.material import gather
    from pru_demo.runs.measures import instruments, measure, networks_of

    context.report(message="Measuring what the network still knows")
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
        measures = measure(record, networks_of(record, weights.arrays, device), tools)
    store.put(measures_key(run), measures, {})
    return measures


def map_into(store: Store, runs: Sequence[RunConfig], context: Context) -> list[str]:
    """Place stored ``runs`` of one scenario on its map, fitted on them if there is none yet.

    Returns the keys of the placed runs. Raises ValueError with a sentence if a run or its
    features are no longer stored.
    """
    records = [_record(store, run) for run in runs]
    features = [store.get(features_key(run)) for run in runs]
    known = [entry.arrays["features"] for entry in features if entry is not None]
    if len(known) < len(runs):
        raise ValueError(
            "The features of a run are no longer stored, so it cannot be drawn; run it again."
        )
    scenario = runs[0].scenario
    map_entry = store.get(maps.map_key(scenario))
    if map_entry is None:
        map_entry = maps.fit(
            {
                f"{run.pick.method}:{run.pick.variant}": f
                for run, f in zip(runs, known, strict=True)
            },
            ~shown_forgotten(records[0]),
            scenario.seed,
            lambda share: context.report(message="Fitting the map to all snapshots", share=share),
        )
        store.put(maps.map_key(scenario), map_entry.meta, map_entry.arrays)
    for run, record, each in zip(runs, records, known, strict=True):
        context.report(message="Placing the samples and measuring the map", share=1.0)
        entry = maps.place(map_entry, record, each).to_entry()
        store.put(maps.placed_key(run), entry.meta, entry.arrays)
    return [maps.placed_key(run) for run in runs]


def _record(store: Store, run: RunConfig) -> RunRecord:
    entry = store.get(run_key(run))
    if entry is None:
        raise ValueError("A run of this map is no longer stored; run it again.")
    return RunRecord.from_entry(entry)
