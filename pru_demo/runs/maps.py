"""The map of a scenario, and where it puts each run.

A scenario has one map, fitted on the runs that were there when it was first asked for. Runs that
come later are placed on it, so that everything seen in a scenario can be compared. Needs numpy
only, except for :func:`fit`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pru_demo.config import RunConfig, Scenario
from pru_demo.projection import (
    TemporalMap,
    classic_umap,
    displacement,
    fit_temporal_map,
    map_fidelity,
)
from pru_demo.runs.canonical import content_key
from pru_demo.runs.record import RunRecord, shown_forgotten
from pru_demo.runs.tensorfile import Entry

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class PlacedRun:
    """A run on its scenario's map, for T snapshots of n samples.

    ``xy`` and ``pca`` (T, n, 2): positions on the map and on the joint-PCA plane it grew from.
    ``moved`` (T, n): displacement in feature space since the original, 1 = from one class to
    another. ``classic`` (3, n, 2): umap-learn's own picture of the original, the unlearned and the
    last relearned snapshot, each fitted alone. ``fidelity``: see ``projection.Fidelity``.
    """

    xy: NDArray[Any]
    pca: NDArray[Any]
    moved: NDArray[Any]
    classic: NDArray[Any]
    fidelity: dict[str, float | None]
    fitted_on: list[str]

    def to_entry(self) -> Entry:
        """For the store."""
        arrays = {k: getattr(self, k) for k in ("xy", "pca", "moved", "classic")}
        return Entry({"fidelity": self.fidelity, "fitted_on": self.fitted_on}, arrays)

    @classmethod
    def from_entry(cls, entry: Entry) -> "PlacedRun":
        """The inverse of :meth:`to_entry`."""
        arrays: dict[str, Any] = dict(entry.arrays)
        return cls(**arrays, **entry.meta)


def map_key(scenario: Scenario) -> str:
    """Store key of the fitted map; it does not depend on any method."""
    return content_key("map", scenario.content())


def placed_key(config: RunConfig) -> str:
    """Store key of a run's places on its scenario's map."""
    return content_key("placed", config.content())


def has_own_space(config: RunConfig) -> bool:
    """Whether the run's features share no origin with the original's, so no map can hold both."""
    return config.pick.method == "retrain"


def fit(
    features: Mapping[str, NDArray[Any]],
    retained: NDArray[np.bool_],
    seed: int,
    report: Callable[[float], None],
) -> Entry:
    """Fit the map on named runs' features (T, n, d); torch is imported here."""
    runs = [each.astype(np.float32) for each in features.values()]
    fitted = fit_temporal_map(runs, retained, seed=seed, report=report)
    return Entry({"fitted_on": sorted(features)}, fitted.arrays())


def place(map_entry: Entry, record: RunRecord, features: NDArray[Any]) -> PlacedRun:
    """Put a run on the map and measure how far the map may be believed for it.

    umap-learn is imported here: first use in a process compiles for half a minute.
    """
    temporal_map = TemporalMap.from_arrays(map_entry.arrays)
    features = features.astype(np.float32)
    retained, labels = ~shown_forgotten(record), record.arrays["labels"]
    xy = temporal_map.place(features)
    moments = [features[i] for i in (0, record.unlearned, len(features) - 1)]
    classic = np.stack([classic_umap(m, seed=record.config.scenario.seed) for m in moments])
    placed = PlacedRun(
        xy=xy,
        pca=temporal_map.place_pca(features),
        moved=displacement(features, retained, labels),
        classic=classic,
        fidelity=asdict(map_fidelity(features, xy, labels, retained)),
        fitted_on=list(map_entry.meta["fitted_on"]),
    )
    halves = {k: getattr(placed, k).astype(np.float16) for k in ("xy", "pca", "moved", "classic")}
    return replace(placed, **halves)
