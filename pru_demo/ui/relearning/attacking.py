"""What attacks found in the runs of a page; what nobody asked for yet is computed on a click."""

from collections.abc import Sequence

from pru_demo.config import RunConfig
from pru_demo.experiment.attack import Attack
from pru_demo.experiment.keys import attack_key
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.tasks import ATTACK, shape_of
from pru_demo.figures.at_once import AttackedAtOnce
from pru_demo.figures.k_shot import Known
from pru_demo.figures.naming import listed, pick_name
from pru_demo.jobs.protocol import ORPHAN_SECONDS
from pru_demo.ui.shared.jobs_panel import (
    AT_ONCE,
    FAILED,
    STOPPED,
    Endings,
    Offered,
    any_goes_on,
    offer,
)
from pru_demo.ui.shared.services import STORE
from pru_demo.ui.shared.texts import text

_FEATURES = Attack("features")
_STOPPED = (STOPPED, "The attack on {name} was stopped. Nothing else was lost.")
_ENDINGS: Endings = {
    "failed": (FAILED, "{name} could not be attacked. {sentence} Reference {reference}."),
    "cancelled": _STOPPED,
    "interrupted": _STOPPED,
}


def relearned(record: RunRecord, attack: Attack) -> RunRecord | None:
    """``record`` with the relearning that ``attack`` is; None: it was not carried out."""
    if attack.is_recorded:
        return record
    entry = STORE.get(attack_key(record.config, attack))
    return None if entry is None else RunRecord.from_entry(entry, record.config)


def attacked_at_once(record: RunRecord, attack: Attack) -> AttackedAtOnce | None:
    """What an attack without epochs found; None: it was not carried out, or there is nothing to."""
    if attack.kind == "batch_norm":
        return AttackedAtOnce.by_batch_norm(record)
    entry = STORE.get(attack_key(record.config, attack))
    if entry is None:
        return None
    return AttackedAtOnce(record, entry.meta["A_f"], entry.meta["A_r"], entry.arrays["predicted"])


def known(record: RunRecord) -> Known | None:
    """Its k-shot AUC, recorded or computed later; None: it is older and was not attacked since."""
    attacks = record.attacks or STORE.meta(attack_key(record.config, _FEATURES))
    return None if attacks is None else Known.of(record.config, attacks)


def attack_panel(attack: Attack, missing: Sequence[RunConfig], *, needed: bool) -> None:
    """Offer to carry out ``attack`` on the ``missing`` runs, or show it going on.

    ``needed``: without it the page has little to show, so the offer stands out.
    """
    keys = {run: attack_key(run, attack) for run in missing}
    if any_goes_on(keys, lambda: any(map(STORE.meta, keys.values())), _ENDINGS):
        return
    names = listed([pick_name(run.pick) for run in missing[:AT_ONCE]])
    said = text("relearning.not_attacked", names=names, minutes=f"{ORPHAN_SECONDS / 60:.0f}")
    offer(
        [
            Offered(
                ATTACK,
                {"config": run.content(), "attack": vars(attack)},
                keys[run],
                f"attack {attack.kind} {shape_of(run)}",
            )
            for run in missing[:AT_ONCE]
        ],
        said,
        f"Attack {names}",
        key=f"attack.{attack.kind}",
        icon=":material/bolt:",
        needed=needed,
    )
