"""All that a page shows of a run, and nothing else. Plain numpy and JSON, no torch.

A record grows by one snapshot at a time, so that what a page follows while a run goes on is of the
same kind as what there is in the end.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from pru_demo.config import RunConfig, Scenario, setting_of
from pru_demo.models import MODELS
from pru_demo.store.entry import Entry

if TYPE_CHECKING:  # it needs torch, which pages that read records must not pay for
    from pru_demo.evaluation.observe import Observation

Stage = Literal["original", "unlearn", "relearn"]

# Relearning epochs whose weights are kept for "Try it" (0 is right after unlearning).
KEPT_EPOCHS = (0, 1, 5, 10)

# How many classes of each answer are kept, the most probable first.
TOP = 3

# The arrays that grow by a row with every snapshot.
ROWS = ("predicted", "p_f", "top", "p_top", "confusion")


@dataclass(frozen=True)
class Snapshot:
    """One moment of a run. A_f and A_r in percent; losses are means over the step before it."""

    stage: Stage
    epoch: int
    phase: str
    A_f: float
    A_r: float
    losses: dict[str, float] = field(default_factory=dict)

    @property
    def position(self) -> float:
        """Where it lies on an axis of epochs: an E step ends half an epoch before its epoch."""
        return self.epoch - (0.5 if self.phase == "E" else 0.0)

    @property
    def label(self) -> str:
        """As written under a slider."""
        if self.stage == "original":
            return "Original"
        if self.stage == "relearn":
            return f"Relearning, epoch {self.epoch}"
        step = f", {self.phase} step" if self.phase != "all" else ""
        return f"Unlearning, epoch {self.epoch}{step}"


@dataclass(frozen=True)
class RunRecord:
    """The result of one method on one scenario, so far: ``made_with`` is {} until the end.

    ``note`` is a sentence by the method where something was not as it should be.

    Arrays, for T snapshots, n shown samples and K classes:

    - ``shown`` (n,) int32 indices into the test part, ``labels`` (n,) uint8;
    - ``predicted`` (T, n) uint8, ``p_f`` (T, n) float16 probability of the forgotten classes;
    - ``top``, ``p_top`` (T, n, 3) uint8, float16: the most probable classes and how probable;
    - ``destined`` (n,) uint8: ỹ, the class that the redistributed p of the original likes best;
    - ``control_predicted``, ``control_p_f`` (n,): the BatchNorm-only control's, if there was one;
    - ``confusion`` (T, K, K) int32 counts over the whole test set used;
    - ``p_original``, ``p_unlearned`` (n, K) float16 probabilities before and after unlearning.

    ``attacks`` on the network right after unlearning are as ``experiment.attacked`` has them; None:
    the run is older than they are, or has not come to them.
    """

    config: RunConfig
    params: dict[str, Any]
    origin: str
    snapshots: tuple[Snapshot, ...]
    batch_norm_only: dict[str, float] | None
    failure: str | None
    seconds: dict[str, float]
    sizes: dict[str, int]
    forward_equivalents: int
    made_with: dict[str, str]
    arrays: dict[str, NDArray[Any]]
    note: str = ""
    attacks: dict[str, Any] | None = None

    def stage(self, stage: Stage) -> list[int]:
        """Positions of the snapshots of ``stage``."""
        return [i for i, s in enumerate(self.snapshots) if s.stage == stage]

    @property
    def unlearned(self) -> int:
        """Position of the snapshot right after unlearning: the last before relearning."""
        return max(i for i, s in enumerate(self.snapshots) if s.stage != "relearn")

    @property
    def forgotten(self) -> NDArray[np.bool_]:
        """(n,) which shown samples are of a forgotten class."""
        return forgotten_among(self.arrays["labels"], self.config.scenario)

    def with_snapshot(
        self,
        snapshot: Snapshot,
        confusion: NDArray[np.integer],
        probabilities: NDArray[np.floating],
    ) -> "RunRecord":
        """This record and one more network: its ``confusion`` (K, K) and ``probabilities`` (n, K)
        of the shown samples."""
        classes = list(self.config.scenario.forget)
        top = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP]
        row = {
            "predicted": probabilities.argmax(1).astype(np.uint8),
            "p_f": probabilities[:, classes].sum(1).astype(np.float16),
            "top": top.astype(np.uint8),
            "p_top": np.take_along_axis(probabilities, top, 1).astype(np.float16),
            "confusion": confusion,
        }
        arrays = {**self.arrays, **{name: _longer(self.arrays, name, row[name]) for name in ROWS}}
        if not self.snapshots:
            others = probabilities.copy()
            others[:, classes] = -1
            arrays["destined"] = others.argmax(1).astype(np.uint8)
            arrays["p_original"] = probabilities.astype(np.float16)
        if snapshot.stage != "relearn":
            arrays["p_unlearned"] = probabilities.astype(np.float16)
        return replace(self, snapshots=(*self.snapshots, snapshot), arrays=arrays)

    def with_control(
        self, accuracies: tuple[float, float], probabilities: NDArray[np.floating]
    ) -> "RunRecord":
        """This record and its BatchNorm-only control: A_f and A_r, and probabilities (n, K)."""
        p_f = probabilities[:, list(self.config.scenario.forget)].sum(1)
        arrays = {
            **self.arrays,
            "control_predicted": probabilities.argmax(1).astype(np.uint8),
            "control_p_f": p_f.astype(np.float16),
        }
        control = dict(zip(("A_f", "A_r"), accuracies, strict=True))
        return replace(self, batch_norm_only=control, arrays=arrays)

    def before_relearning(self) -> "RunRecord":
        """This record up to the network right after unlearning, without the control."""
        until = self.unlearned + 1
        arrays = {
            name: array[:until] if name in ROWS else array
            for name, array in self.arrays.items()
            if not name.startswith("control_")
        }
        return replace(self, snapshots=self.snapshots[:until], batch_norm_only=None, arrays=arrays)

    def kept(self) -> dict[int, int]:
        """Positions of the snapshots whose networks are kept, by epoch of relearning."""
        epochs = {0: self.unlearned} | {self.snapshots[i].epoch: i for i in self.stage("relearn")}
        return {epoch: epochs[epoch] for epoch in KEPT_EPOCHS if epoch in epochs}

    def relearning(self, name: Literal["A_f", "A_r"]) -> list[float]:
        """A_f or A_r right after unlearning and after each relearning epoch, in percent."""
        positions = [self.unlearned, *self.stage("relearn")]
        return [getattr(self.snapshots[i], name) for i in positions]

    def summary(self) -> dict[str, Any]:
        """The numbers of ``python -m pru_demo run --json``; accuracies in percent.

        ``changes`` are those of the ``params`` that are not the variant's.
        """
        return {
            "method": self.config.pick.method,
            "variant": self.config.pick.variant,
            "changes": dict(self.config.pick.changes),
            "params": self.params,
            "preset": self.config.scenario.preset,
            "seed": self.config.scenario.seed,
            "forget": list(self.config.scenario.forget),
            "A_f": self.relearning("A_f"),
            "A_r": self.relearning("A_r"),
            "bn_only": self.batch_norm_only,
            "attacks": None if self.attacks is None else _spread(self.attacks),
            "failure": self.failure,
            "note": self.note,
            "seconds": self.seconds,
            "sizes": self.sizes,
            "made_with": self.made_with,
        }

    def to_entry(self) -> Entry:
        meta = {k: v for k, v in vars(self).items() if k not in ("config", "snapshots", "arrays")}
        meta["config"] = self.config.content()
        meta["snapshots"] = [asdict(s) for s in self.snapshots]
        return Entry(meta, self.arrays)

    @classmethod
    def from_entry(cls, entry: Entry, asked: RunConfig | None = None) -> "RunRecord":
        """The inverse of :meth:`to_entry`.

        Variants with equal parameters share one result: it belongs to whoever asked for it.
        """
        meta: dict[str, Any] = dict(entry.meta)
        config = RunConfig.from_content(meta.pop("config"))
        if asked is not None and asked != config:
            config, meta["origin"] = asked, setting_of(asked).origin
        snapshots = tuple(Snapshot(**s) for s in meta.pop("snapshots"))
        if not MODELS[config.scenario.model].batch_norm:
            # Older runs had one nevertheless: the unlearned network once more, which says nothing.
            meta["batch_norm_only"] = None
        return cls(config=config, snapshots=snapshots, arrays=dict(entry.arrays), **meta)


@dataclass
class RunResult:
    """A record and what is kept beside it, all growing while the run goes on.

    ``features`` of the shown samples, float16: ``features`` (T, n, d) at every snapshot and
    ``control`` (n, d) of the BatchNorm-only control, if there was one. ``weights`` are those at
    ``KEPT_EPOCHS``, named ``epoch/parameter``.
    """

    record: RunRecord
    features: dict[str, NDArray[Any]] = field(default_factory=dict)
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)

    def add(self, snapshot: Snapshot, seen: "Observation") -> None:
        self.record = self.record.with_snapshot(snapshot, seen.confusion, seen.probabilities)
        self.features["features"] = _longer(self.features, "features", seen.features)

    def add_control(self, seen: "Observation") -> None:
        accuracies = seen.accuracies(self.record.config.scenario.forget)
        self.record = self.record.with_control(accuracies, seen.probabilities)
        self.features["control"] = seen.features


def forgotten_among(labels: NDArray[np.integer], scenario: Scenario) -> NDArray[np.bool_]:
    """(n,) which of ``labels`` (n,) are of a class that ``scenario`` forgets."""
    forgotten: NDArray[np.bool_] = np.isin(labels, scenario.forget)
    return forgotten


def _spread(attacks: Mapping[str, Any]) -> dict[str, Any]:
    """Means and deviations of the attacks by k, each by itself, and why there are none."""
    found = attacks["k_shot_auc"]
    return {
        "k_shot_auc": {k: each["mean"] for k, each in found.items()},
        "k_shot_auc_deviation": {k: each["deviation"] for k, each in found.items()},
        "not_attacked": {k: each["reason"] for k, each in found.items() if each.get("reason")},
        "shots_were_seen": attacks["shots_were_seen"],
    }


def _longer(arrays: Mapping[str, NDArray[Any]], name: str, row: NDArray[Any]) -> NDArray[Any]:
    """An array (T, …) with one more row; the first where there is none yet."""
    added = row[np.newaxis]
    return np.concatenate([arrays[name], added]) if name in arrays else added
