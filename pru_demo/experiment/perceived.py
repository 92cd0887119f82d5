"""What a run's extractor still sees, measured in its own feature space: no map can fake these.

Needs numpy and scikit-learn only: everything is computed from the stored features.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pru_demo.evaluation.distances import n_dist, new_clusters
from pru_demo.evaluation.probing import crossed_probe
from pru_demo.experiment.record import RunRecord
from pru_demo.projection.align import displacement
from pru_demo.store.entry import Entry

CONTROL = "control"


@dataclass(frozen=True)
class Moment:
    """One network: accuracies in percent of a new linear classifier (``evaluation.probing``'s
    crossed probe), and the new clusters (``evaluation.distances``). None: the network diverged."""

    probe_A_f: float | None = None
    probe_A_r: float | None = None
    between: float | None = None
    within: float | None = None


@dataclass(frozen=True)
class Perceived:
    """T snapshots of a run and, if there was one, the BatchNorm-only control after it.

    ``moments`` are the T snapshots', ``control`` the control's. float16: ``n_dist`` (T, m), Eq. 7
    of the m shown forgotten samples, each snapshot in its own space, ``control_n_dist`` (m,);
    ``moved`` (T, n), the displacement of all n shown samples since the original, 1 = from one class
    to another.
    """

    moments: tuple[Moment, ...]
    control: Moment | None
    moved: NDArray[Any]
    n_dist: NDArray[Any]
    control_n_dist: NDArray[Any] | None

    def to_entry(self) -> Entry:
        arrays = {"moved": self.moved, "n_dist": self.n_dist}
        if self.control_n_dist is not None:
            arrays["control_n_dist"] = self.control_n_dist
        meta: dict[str, Any] = {
            "moments": [asdict(moment) for moment in self.moments],
            "control": None if self.control is None else asdict(self.control),
        }
        return Entry(meta, arrays)

    @classmethod
    def from_entry(cls, entry: Entry) -> "Perceived":
        control = entry.meta["control"]
        return cls(
            tuple(Moment(**moment) for moment in entry.meta["moments"]),
            None if control is None else Moment(**control),
            entry.arrays["moved"],
            entry.arrays["n_dist"],
            entry.arrays.get("control_n_dist"),
        )


def perceive(record: RunRecord, features: Mapping[str, NDArray[Any]]) -> Perceived:
    """Measure all snapshots of a run, given its stored features (see ``keys.features_key``)."""
    control = features.get(CONTROL)
    return Perceived(
        tuple(_moment(record, e) for e in features["features"]),
        None if control is None else _moment(record, control),
        _moved(record, features["features"]),
        np.stack([_n_dist(record, e) for e in features["features"]]),
        None if control is None else _n_dist(record, control),
    )


def _moment(record: RunRecord, features: NDArray[Any]) -> Moment:
    e, labels = features.astype(np.float64), record.arrays["labels"]
    if not np.isfinite(e).all():
        return Moment()
    scenario = record.config.scenario
    probe = crossed_probe(e, labels, scenario.forget, scenario.seed)
    clusters = new_clusters(e, labels, record.arrays["destined"], record.forgotten)
    return Moment(probe.A_f, probe.A_r, clusters.between, clusters.within)


def _moved(record: RunRecord, features: NDArray[Any]) -> NDArray[np.float16]:
    whole = np.isfinite(features).all((1, 2))
    moved = np.full(features.shape[:2], np.nan, np.float16)
    retained, labels = ~record.forgotten, record.arrays["labels"]
    moved[whole] = displacement(features[whole].astype(np.float32), retained, labels)
    return moved


def _n_dist(record: RunRecord, features: NDArray[Any]) -> NDArray[np.float16]:
    forgotten = record.forgotten
    return n_dist(features[forgotten], record.arrays["labels"][forgotten]).astype(np.float16)
