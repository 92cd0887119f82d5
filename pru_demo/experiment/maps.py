"""The maps of a scenario, and where they put each run.

A scenario has one map of each kind, fitted on the runs that were there when it was first asked for.
Runs that come later are placed on it, so that everything seen in a scenario can be compared. Only
Retrain, whose features have nothing in common with the original's, gets maps of its own.

Needs numpy only, except for :func:`fit`, which may import torch or umap-learn.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pru_demo.experiment.record import RunRecord
from pru_demo.projection.fidelity import map_fidelity
from pru_demo.projection.landmark_map import LandmarkMap, fit_landmark_map
from pru_demo.projection.temporal_map import Entrance, TemporalMap, fit_temporal_map, pca_map
from pru_demo.store.entry import Entry

# Below these a map is not to be read: by the share of true neighbours, by how well the length of
# steps on it follows that of steps in feature space, and by the share of forgotten samples whose
# nearest class is the same.
LEAST_TRUST, LEAST_MOVEMENT, LEAST_AGREEMENT = 0.9, 0.6, 0.5


@dataclass(frozen=True)
class MapKind:
    """``fit(runs, retained, seed=, report=)``, ``load(arrays)``, and whether snapshots are brought
    into one pose first: if not, also motion common to all samples is seen."""

    fit: Callable[..., TemporalMap | LandmarkMap]
    load: Callable[[Mapping[str, NDArray[Any]]], TemporalMap | LandmarkMap]
    align: bool = True


KINDS: dict[str, MapKind] = {
    "time": MapKind(fit_temporal_map, TemporalMap.from_arrays),
    "raw": MapKind(partial(fit_temporal_map, align=False), TemporalMap.from_arrays, align=False),
    "sharp": MapKind(fit_landmark_map, LandmarkMap.from_arrays),
    "pca": MapKind(lambda runs, retained, **_: pca_map(runs, retained), TemporalMap.from_arrays),
}
# Not for choosing: the map on which a run is followed while it happens.
LIVE = "live"


@dataclass(frozen=True)
class PlacedRun:
    """A run on a map: positions ``xy`` (T, n, 2) float16 of n samples in T snapshots.

    ``fidelity``: see ``projection.Fidelity``. ``map_id`` is that of the map. ``entrances`` of the
    snapshots whose networks are kept let new images in; ``fitted_on`` names runs as ``str(pick)``.
    """

    xy: NDArray[Any]
    fidelity: dict[str, float | None]
    map_id: str
    fitted_on: list[str]
    entrances: dict[int, Entrance]

    def to_entry(self) -> Entry:
        meta = {name: getattr(self, name) for name in ("fidelity", "map_id", "fitted_on")}
        arrays = {"xy": self.xy}
        for at, entrance in self.entrances.items():
            arrays |= {f"matrix/{at}": entrance.matrix, f"offset/{at}": entrance.offset}
        return Entry(meta, arrays)

    @classmethod
    def from_entry(cls, entry: Entry) -> "PlacedRun":
        arrays, meta = entry.arrays, entry.meta
        snapshots = [int(name[7:]) for name in arrays if name.startswith("matrix/")]
        return cls(
            arrays["xy"],
            meta["fidelity"],
            meta["map_id"],
            meta["fitted_on"],
            {at: Entrance(arrays[f"matrix/{at}"], arrays[f"offset/{at}"]) for at in snapshots},
        )

    def doubts(self) -> list[str]:
        """What this map must not be read for, in words that complete "Do not read … from it".

        Compared in the digits that pages show, so that no 0.900 is said to be below 0.9.
        """
        trust, motion = self.fidelity["trustworthiness_mean"], self.fidelity["movement_correlation"]
        doubts = ["neighbourhoods"] if trust is not None and round(trust, 3) < LEAST_TRUST else []
        if motion is not None and round(motion, 2) < LEAST_MOVEMENT:
            doubts.append("movement")
        return doubts


def fit(
    kind: str,
    features: Mapping[str, NDArray[Any]],
    retained: NDArray[np.bool_],
    seed: int,
    report: Callable[[float], None],
) -> Entry:
    """Fit a map on named runs' features (T, n, d)."""
    runs = [each.astype(np.float32) for each in features.values()]
    fitted = KINDS[kind].fit(runs, retained, seed=seed, report=report)
    arrays = fitted.arrays()
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return Entry({"fitted_on": sorted(features), "id": digest.hexdigest()[:16]}, arrays)


def fit_live(features: NDArray[Any], retained: NDArray[np.bool_], seed: int) -> Entry:
    """Fit a map to the original's features (n, d) alone; what comes later is placed on it.

    A map that learned from each new snapshot would move what stands still.
    """
    return fit("time", {"original": features[np.newaxis]}, retained, seed, lambda share: None)


def place(kind: str, map_entry: Entry, record: RunRecord, features: NDArray[Any]) -> PlacedRun:
    """Put a run on a map and measure how far the map may be believed for it."""
    features, labels = features.astype(np.float32), record.arrays["labels"]
    drawn = KINDS[kind].load(map_entry.arrays)
    xy = drawn.place(features)
    fidelity = map_fidelity(features, xy, labels, ~record.forgotten, align=KINDS[kind].align)
    return PlacedRun(
        xy=xy.astype(np.float16),
        fidelity=asdict(fidelity),
        map_id=map_entry.meta["id"],
        fitted_on=list(map_entry.meta["fitted_on"]),
        entrances={
            at: drawn.entrance(features[at])
            for at in (0, *record.kept().values())
            if isinstance(drawn, TemporalMap)
        },
    )
