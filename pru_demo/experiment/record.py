"""All that a page shows of a run, and nothing else. Plain numpy and JSON, no torch.

From what a network answers at every snapshot to the arrays of a record. Plain numpy.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pru_demo.config import RunConfig
from pru_demo.models import MODELS
from pru_demo.store.entry import JSON, Entry

Stage = Literal["original", "unlearn", "relearn"]

# Relearning epochs whose weights are kept for "Try it" (0 is right after unlearning).
KEPT_EPOCHS = (0, 1, 5, 10)

# How many classes of each answer are kept, the most probable first.
TOP = 3


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
    """The result of one method on one scenario.

    Arrays, for T snapshots, n shown samples and K classes:

    - ``shown`` (n,) int32 indices into the test part, ``labels`` (n,) uint8;
    - ``predicted`` (T, n) uint8, ``p_f`` (T, n) float16 probability of the forgotten classes;
    - ``top``, ``p_top`` (T, n, 3) uint8, float16: the most probable classes and how probable;
    - ``destined`` (n,) uint8: ỹ, the class that the redistributed p of the original likes best;
    - ``control_predicted``, ``control_p_f`` (n,): the BatchNorm-only control's, if there was one;
    - ``confusion`` (T, K, K) int32 counts over the whole test set used;
    - ``p_original``, ``p_unlearned`` (n, K) float16 probabilities before and after unlearning.
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

    def stage(self, stage: Stage) -> list[int]:
        """Positions of the snapshots of ``stage``."""
        return [i for i, s in enumerate(self.snapshots) if s.stage == stage]

    @property
    def unlearned(self) -> int:
        """Position of the snapshot right after unlearning: the last before relearning."""
        return unlearned_at(self.snapshots)

    def kept(self) -> dict[int, int]:
        """Positions of the snapshots whose networks are kept, by epoch of relearning."""
        epochs = {0: self.unlearned} | {self.snapshots[i].epoch: i for i in self.stage("relearn")}
        return {epoch: epochs[epoch] for epoch in KEPT_EPOCHS if epoch in epochs}

    def relearning(self, name: Literal["A_f", "A_r"]) -> list[float]:
        """A_f or A_r right after unlearning and after each relearning epoch, in percent."""
        positions = [self.unlearned, *self.stage("relearn")]
        return [getattr(self.snapshots[i], name) for i in positions]

    def summary(self) -> dict[str, Any]:
        """The numbers of ``python -m pru_demo run --json``; accuracies in percent."""
        return {
            "method": self.config.pick.method,
            "variant": self.config.pick.variant,
            "preset": self.config.scenario.preset,
            "seed": self.config.scenario.seed,
            "forget": list(self.config.scenario.forget),
            "A_f": self.relearning("A_f"),
            "A_r": self.relearning("A_r"),
            "bn_only": self.batch_norm_only,
            "failure": self.failure,
            "seconds": self.seconds,
            "sizes": self.sizes,
            "made_with": self.made_with,
        }

    def to_entry(self) -> Entry:
        """For the store."""
        meta = {k: v for k, v in vars(self).items() if k not in ("config", "snapshots", "arrays")}
        meta["config"] = self.config.content()
        meta["snapshots"] = [asdict(s) for s in self.snapshots]
        return Entry(meta, self.arrays)

    @classmethod
    def from_entry(cls, entry: Entry) -> "RunRecord":
        """The inverse of :meth:`to_entry`."""
        meta: dict[str, JSON] = dict(entry.meta)
        config = RunConfig.from_content(meta.pop("config"))
        snapshots = tuple(Snapshot(**s) for s in meta.pop("snapshots"))
        if not MODELS[config.scenario.model].batch_norm:
            # Older runs had one nevertheless: the unlearned network once more, which says nothing.
            meta["batch_norm_only"] = None
        return cls(config=config, snapshots=snapshots, arrays=dict(entry.arrays), **meta)


def unlearned_at(snapshots: Sequence[Snapshot]) -> int:
    """Position of the last snapshot before relearning."""
    return max(i for i, s in enumerate(snapshots) if s.stage != "relearn")


def shown_forgotten(record: RunRecord) -> NDArray[np.bool_]:
    """(n,) which shown samples are of a forgotten class."""
    forgotten: NDArray[np.bool_] = np.isin(
        record.arrays["labels"], list(record.config.scenario.forget)
    )
    return forgotten


def record_arrays(
    shown: NDArray[np.integer],
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    confusion: NDArray[np.integer],
    *,
    forget: Sequence[int],
    unlearned: int,
) -> dict[str, NDArray[Any]]:
    """The arrays that every record has, as :class:`RunRecord` describes them.

    ``shown``, ``labels`` (n,); ``probabilities`` (T, n, K) of the shown samples; ``confusion``
    (T, K, K). ``unlearned`` is the position of the snapshot right after unlearning.
    """
    classes = list(forget)
    top = np.argsort(-probabilities, axis=2, kind="stable")[:, :, :TOP]
    return {
        "shown": shown,
        "labels": labels,
        "predicted": probabilities.argmax(2).astype(np.uint8),
        "p_f": probabilities[:, :, classes].sum(2).astype(np.float16),
        "top": top.astype(np.uint8),
        "p_top": np.take_along_axis(probabilities, top, 2).astype(np.float16),
        "destined": _destined(probabilities[0], classes),
        "confusion": confusion,
        "p_original": probabilities[0].astype(np.float16),
        "p_unlearned": probabilities[unlearned].astype(np.float16),
    }


def control_arrays(
    probabilities: NDArray[np.floating], forget: Sequence[int]
) -> dict[str, NDArray[Any]]:
    """The arrays of the BatchNorm-only control, from its probabilities (n, K)."""
    return {
        "control_predicted": probabilities.argmax(1).astype(np.uint8),
        "control_p_f": probabilities[:, list(forget)].sum(1).astype(np.float16),
    }


def _destined(p: NDArray[np.floating], forget: list[int]) -> NDArray[np.uint8]:
    """ỹ (n,): the class most likely under the original, p (n, K), once ``forget`` is left out."""
    others = p.copy()
    others[:, forget] = -1
    destined: NDArray[np.uint8] = others.argmax(1).astype(np.uint8)
    return destined
