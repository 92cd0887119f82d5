"""Which map of all snapshots is most faithful, on real features of two runs side by side.

    PYTHONPATH=. python benchmarks/projection.py [--quick] [--output FILE]

Takes PRU and Boundary Shrink (``classroom``; class 9 of MNIST in the small and the full AllCNN,
class 3 of CIFAR-10 in the small one) from the store, running what is not there. CIFAR-10 is left
out, and the result says so, where the data set is not. ``--quick`` leaves out umap-learn's
transform and AlignedUMAP, which take minutes.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import RESULTS, machine_facts, write_result
from numpy.typing import NDArray

from pru_demo.cli.batch import Jobs
from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.data import available
from pru_demo.experiment.keys import features_key, run_key
from pru_demo.experiment.record import RunRecord
from pru_demo.projection.fidelity import map_fidelity
from pru_demo.projection.graph import NEIGHBOURS, nearest
from pru_demo.projection.landmark_map import fit_landmark_map
from pru_demo.projection.temporal_map import fit_temporal_map, pca_map
from pru_demo.store import Store, default_store_directory

SEEDS = (7, 8, 9)
SCENARIOS = {
    "mnist class 9": (Scenario(), "tuned"),
    "mnist class 9, full width": (Scenario(model="allcnn"), "paper"),
    "cifar10 class 3": (Scenario(dataset="cifar10", forget=(3,)), "paper"),
}
# AlignedUMAP fits every snapshot in full first: at all of them it takes half an hour here.
ALIGNED_EVERY, ALIGNED_EPOCHS = 4, 100

Floats = NDArray[np.float32]
# From runs (T, n, d) and who is retained (n,), by a seed, to a function that places a run.
Fit = Callable[[Sequence[Floats], NDArray[np.bool_], int], Callable[[Floats], NDArray[Any]]]

OURS: dict[str, Fit] = {
    "joint PCA": lambda runs, retained, _: pca_map(runs, retained).place,
    "shared map": lambda runs, retained, seed: fit_temporal_map(runs, retained, seed=seed).place,
    "shared map, raw motion": lambda runs, retained, seed: (
        fit_temporal_map(runs, retained, seed=seed, align=False).place
    ),
    "landmark UMAP": lambda runs, retained, seed: fit_landmark_map(runs, retained, seed=seed).place,
}


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, default=RESULTS / "projection.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    result: dict[str, Any] = {
        "what": "fidelity of maps of two runs; CPU seconds of one thread, the first call compiles",
        "machine": machine_facts(),
        "left_out": [name for name, (s, _) in SCENARIOS.items() if not available(s.dataset)],
    }
    for name, (scenario, variant) in SCENARIOS.items():
        if available(scenario.dataset):
            result[name] = compare(records_of(scenario, variant), quick=options.quick)
            options.output.write_text(json.dumps(result, indent=1) + "\n")
    result["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    write_result(options.output, result)


def records_of(scenario: Scenario, variant: str) -> list[tuple[RunRecord, Floats]]:
    """PRU and Boundary Shrink with their features; what is missing is computed first."""
    store = Store(default_store_directory())
    configs = [RunConfig(scenario, Pick(m, variant)) for m in ("pru", "boundary_shrink")]
    missing = [c for c in configs if store.get(features_key(c)) is None]
    with Jobs(store.directory) as jobs:
        list(jobs.run(missing, again=True))
    runs = []
    for config in configs:
        record, features = store.get(run_key(config)), store.get(features_key(config))
        assert record is not None
        assert features is not None
        runs.append((RunRecord.from_entry(record), features.arrays["features"].astype(np.float32)))
    return runs


def compare(runs: list[tuple[RunRecord, Floats]], *, quick: bool) -> dict[str, Any]:
    """All constructions on one scenario."""
    constructions = OURS if quick else {**OURS, "umap-learn: fit, transform": fit_and_transform}
    result: dict[str, Any] = {
        "snapshots": [len(e) for _, e in runs],
        "samples": runs[0][1].shape[1],
    }
    for name, fit in constructions.items():
        seeds = SEEDS if name in OURS else SEEDS[:1]
        result[name] = [measured(name, fit, runs, seed) for seed in seeds]
        print(name, json.dumps(result[name][0]), flush=True)
    if not quick:
        result["AlignedUMAP"] = [aligned_umap(*run) for run in runs]
        print("AlignedUMAP", json.dumps(result["AlignedUMAP"]), flush=True)
    return result


def measured(
    name: str, fit: Fit, runs: list[tuple[RunRecord, Floats]], seed: int
) -> dict[str, Any]:
    """Cost and fidelity of one construction; with the first seed, whether that draws it again."""
    retained = ~runs[0][0].forgotten
    features = [e for _, e in runs]
    cpu, wall = time.process_time(), time.perf_counter()
    place = fit(features, retained, seed)
    places = [place(e) for e in features]
    cost = {
        "cpu_s": round(time.process_time() - cpu, 1),
        "wall_s": round(time.perf_counter() - wall, 1),
    }
    align = "raw" not in name
    each = {
        run.config.pick.method: fidelity(run, e, xy, align)
        for (run, e), xy in zip(runs, places, strict=True)
    }
    result = {"seed": seed, **cost, "runs": each, "false_motion_percent": planted(fit, runs, seed)}
    if name in OURS and seed == SEEDS[0]:
        again = fit(features, retained, seed)(features[0])
        result["same_map_twice"] = bool(np.array_equal(again, places[0]))
    return result


def fidelity(run: RunRecord, e: Floats, xy: NDArray[Any], align: bool = True) -> dict[str, Any]:
    """What pages say of a map, and the share of true neighbours among the nearest 15."""
    retained, labels = ~run.forgotten, run.arrays["labels"]
    numbers = asdict(map_fidelity(e, xy, labels, retained, align=align))
    del numbers["false_motion_percent"]  # nothing stands still in a real run: see ``planted``
    overlap = [neighbour_overlap(a, b) for a, b in zip(e, xy, strict=True)]
    return {k: round(v, 3) for k, v in {**numbers, "knn15_overlap": np.mean(overlap)}.items()}


def neighbour_overlap(points: NDArray[Any], placed: NDArray[Any]) -> float:
    """Share of the 15 nearest in ``points`` (n, d) that are so in ``placed`` (n, 2)."""
    true, drawn = (nearest(each, NEIGHBOURS)[0] for each in (points, placed))
    same = (true[:, :, np.newaxis] == drawn[:, np.newaxis]).any(2)
    return float(same.mean())


def planted(fit: Fit, runs: list[tuple[RunRecord, Floats]], seed: int) -> float | None:
    """Motion on the map, in percent of it, of retained samples that are made to stand still."""
    if fit is fit_and_transform:
        return None  # another two minutes
    run, e = runs[0]
    retained = ~run.forgotten
    frozen = e.copy()
    frozen[:, retained] = e[0, retained]
    xy = fit([frozen], retained, seed)(frozen)
    return map_fidelity(frozen, xy, run.arrays["labels"], retained).false_motion_percent


def fit_and_transform(
    runs: Sequence[Floats], retained: NDArray[np.bool_], seed: int
) -> Callable[[Floats], NDArray[Any]]:
    """umap-learn as most people would use it: fit the original, transform all that follows."""
    from umap import UMAP

    fitted = UMAP(random_state=seed, n_jobs=1).fit(runs[0][0])
    return lambda e: np.stack([fitted.embedding_, *(fitted.transform(each) for each in e[1:])])


def aligned_umap(run: RunRecord, e: Floats) -> dict[str, Any]:
    """umap-learn's own answer to time, on every fourth snapshot."""
    from umap import AlignedUMAP

    chosen = e[::ALIGNED_EVERY]
    same = {i: i for i in range(e.shape[1])}
    cpu = time.process_time()
    mapper = AlignedUMAP(random_state=SEEDS[0], n_epochs=ALIGNED_EPOCHS)
    xy = np.stack(mapper.fit_transform(list(chosen), relations=[same] * (len(chosen) - 1)))
    return {
        "run": run.config.pick.method,
        "snapshots": len(chosen),
        "epochs": ALIGNED_EPOCHS,
        "cpu_s": round(time.process_time() - cpu, 1),
        **fidelity(run, chosen, xy),
    }


if __name__ == "__main__":
    main()
