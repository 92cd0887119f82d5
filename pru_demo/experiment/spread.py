"""How a number varies over runs of one method that differ in their seed, or also in their class."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pru_demo.config import Pick
from pru_demo.evaluation.knowledge import SHOTS
from pru_demo.experiment.record import RunRecord


@dataclass(frozen=True)
class Spread:
    """One number over ``runs`` runs, in its own unit; a single run has no ``deviation``."""

    mean: float
    deviation: float | None
    lowest: float
    highest: float
    runs: int

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Raises ValueError for no values."""
        found = list(values)
        deviation = statistics.stdev(found) if len(found) > 1 else None
        return cls(statistics.fmean(found), deviation, min(found), max(found), len(found))

    @classmethod
    def of_known(cls, values: Iterable[float | None]) -> "Spread | None":
        """Of those ``values`` that were computed; None if none was."""
        known = [value for value in values if value is not None]
        return cls.of(known) if known else None


@dataclass(frozen=True)
class MethodSpread:
    """A method over its ``runs``, of which ``failed`` broke the network and count for nothing else.

    Accuracies in percent, relearned ones after the last epoch; ``k_shot_auc`` by k.
    """

    pick: Pick
    runs: int
    failed: int
    A_f: Spread | None
    A_r: Spread | None
    A_f_relearned: Spread | None
    A_r_relearned: Spread | None
    bn_only_A_f: Spread | None
    k_shot_auc: dict[str, Spread | None]

    def summary(self) -> dict[str, Any]:
        """As JSON, the run named as in :meth:`RunRecord.summary`."""
        numbers = asdict(self)
        del numbers["pick"]
        pick = self.pick
        named = {"method": pick.method, "variant": pick.variant, "changes": dict(pick.changes)}
        return named | numbers


def whole_runs(records: Iterable[RunRecord]) -> list[RunRecord]:
    """Those that did not break the network: what is broken has neither forgotten nor kept."""
    return [record for record in records if record.failure is None]


def spread_by_method(records: Iterable[RunRecord]) -> list[MethodSpread]:
    """One entry for each method as it was picked, in the order of their first records."""
    groups: dict[Pick, list[RunRecord]] = {}
    for record in records:
        groups.setdefault(record.config.pick, []).append(record)
    return [_over(pick, group) for pick, group in groups.items()]


def _over(pick: Pick, group: Sequence[RunRecord]) -> MethodSpread:
    whole = whole_runs(group)
    controls = [record.batch_norm_only for record in whole]
    return MethodSpread(
        pick,
        len(group),
        len(group) - len(whole),
        A_f=Spread.of_known(record.relearning("A_f")[0] for record in whole),
        A_r=Spread.of_known(record.relearning("A_r")[0] for record in whole),
        A_f_relearned=Spread.of_known(record.relearning("A_f")[-1] for record in whole),
        A_r_relearned=Spread.of_known(record.relearning("A_r")[-1] for record in whole),
        bn_only_A_f=Spread.of_known(control["A_f"] for control in controls if control),
        k_shot_auc={
            str(k): Spread.of_known(_auc(record, str(k)) for record in whole) for k in SHOTS
        },
    )


def _auc(record: RunRecord, k: str) -> float | None:
    """What ``k`` images find; None: not attacked, or there was nothing to attack with."""
    if record.attacks is None:
        return None
    found: float | None = record.attacks["k_shot_auc"][k]["mean"]
    return found
