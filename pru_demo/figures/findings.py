"""Sentences that state what a record shows, with the numbers in them computed from it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pru_demo.evaluation.destinations import destinations
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.naming import forgotten_images, is_yardstick, listed, pick_name

# Above this, "the class came back" is fair to say; below, "it stayed away".
BACK, AWAY = 50.0, 10.0
# Percentage points by which the best epoch is above the last one before both are named.
CLEARLY = 1.0


def percent(value: float) -> str:
    """``97 %``, with a decimal only where it matters: near nothing and near everything."""
    return f"{value:.1f} %" if 0 < value < 10 or 99.5 <= value < 100 else f"{value:.0f} %"


def failure_finding(record: RunRecord) -> str:
    """How a run that has a ``failure`` ended; also if it was an attack by relearning."""
    name = pick_name(record.config.pick)
    if relearned := record.stage("relearn"):
        epoch = record.snapshots[relearned[-1]].epoch
        return f"**{name}**: relearning broke the network in epoch {epoch}: {record.failure}."
    return f"**{name}** broke the network: {record.failure}."


def relearning_finding(record: RunRecord) -> str:
    """What ten epochs on the other classes bring back."""
    a_f, name = record.relearning("A_f"), pick_name(record.config.pick)
    forgotten = forgotten_images(record.config.scenario)
    if record.failure:
        return failure_finding(record)
    if record.config.pick.method == "original":
        return (
            f"**{name}** knows {percent(a_f[0])} of the {forgotten}, and {percent(a_f[-1])} after "
            "training on the others."
        )
    end, best = a_f[-1], max(a_f[1:])
    # Whatever came back at any time had not been forgotten.
    verdict = "**it came back**" if best >= BACK else "**it stayed away**"
    if AWAY <= best < BACK:
        verdict = "**part of it came back**"
    passing = f" (at its highest {percent(best)}, after epoch {a_f.index(best, 1)})"
    return (
        f"**{name}** leaves {percent(a_f[0])} of the {forgotten} recognised, and "
        f"{percent(record.relearning('A_r')[0])} of everything else. After {len(a_f) - 1} epochs "
        f"of relearning it is {percent(end)}{passing if best >= end + CLEARLY else ''}: {verdict}."
    )


def par_finding(retrained: RunRecord) -> str:
    """What Retrain learns of the class while it relearns from images of it."""
    learned = percent(max(retrained.relearning("A_f")))
    return (
        "Par is **Retrain**, which never met one: from the same images it learns to recognise "
        f"{learned}."
    )


def comeback_finding(record: RunRecord, epoch: int, *, kept: float, back: float) -> str:
    """How much of the shown images came back: ``kept`` percent had never been forgotten."""
    name, method = pick_name(record.config.pick), record.config.pick.method
    if method == "original":
        return f"**{name}** has forgotten nothing, so nothing can come back."
    if method == "retrain":
        known = percent(kept + back)
        return f"**{name}** never met one: {known} were recognised at some time by epoch {epoch}."
    rest = f"; {percent(kept)} had never been forgotten" if kept else ""
    return f"**{name}**: {percent(back)} have come back by epoch {epoch}{rest}."


def control_finding(record: RunRecord) -> str | None:
    """What the BatchNorm-only control says, if it says something."""
    control = record.batch_norm_only
    if control is None or is_yardstick(record.config.pick):
        return None
    name, forgotten = pick_name(record.config.pick), forgotten_images(record.config.scenario)
    if control["A_f"] >= AWAY:
        # They may have been overwritten, or left behind by weights that moved without them.
        return (
            f"For {name}, refreshing the BatchNorm statistics alone, with **no weight changed**, "
            f"brings {percent(control['A_f'])} of the {forgotten} back: that much was only hidden "
            "behind statistics that did not fit."
        )
    return (
        f"For {name}, refreshing the BatchNorm statistics alone brings back "
        f"{percent(control['A_f'])}: what it forgot, it forgot in its weights."
    )


def movement_finding(record: RunRecord, moved: NDArray[np.floating]) -> str:
    """How far the samples are from where they started, ``moved`` (T, n) in class distances."""
    name, forgotten = pick_name(record.config.pick), record.forgotten
    after, end = moved[record.unlearned], moved[-1]
    if record.unlearned == 0:
        return f"**{name}** forgot nothing; relearning moves the samples by {end.mean():.2f}."
    moves = (
        f"**{name}** moved the {forgotten_images(record.config.scenario)} by "
        f"{after[forgotten].mean():.2f} (the others by {after[~forgotten].mean():.2f})"
    )
    if not record.stage("relearn"):
        return f"{moves}."
    return f"{moves}; after relearning they are {end[forgotten].mean():.2f} from where they were."


def perception_finding(record: RunRecord, says: float, finds: float | None) -> str:
    """What the network says against what could still be found in its features, in percent.

    ``finds`` is None if its features are no numbers, which only a failed run has.
    """
    name, images = pick_name(record.config.pick), forgotten_images(record.config.scenario)
    if record.failure or finds is None:
        return failure_finding(record)
    return (
        f"**{name}** calls {percent(says)} of the {images} by their name; a new linear classifier "
        f"on the same features finds {percent(finds)}."
    )


def doubt_finding(
    record: RunRecord, doubts: Sequence[str], fidelity: dict[str, float | None]
) -> str:
    """What a map must not be read for, with the numbers that say so; "" if it may be read."""
    if not doubts:
        return ""
    trust, motion = fidelity["trustworthiness_mean"], fidelity["movement_correlation"]
    numbers = [f"trustworthiness {trust:.3f}"] if trust is not None else []
    numbers += [f"correlation of movement {motion:.2f}"] if motion is not None else []
    return (
        f"Do not read {listed(list(doubts))} of **{pick_name(record.config.pick)}** from this map: "
        f"{listed(numbers)}."
    )


def destination_finding(record: RunRecord, class_names: Sequence[str]) -> str:
    """Where most forgotten samples go right after unlearning."""
    forget = list(record.config.scenario.forget)
    shares = destinations(record.arrays["confusion"][record.unlearned], forget)
    top = [int(c) for c in np.argsort(-shares, kind="stable")[:2] if shares[c] > 0]
    words = [f"{percent(100 * shares[c])} become {class_names[c]}" for c in top]
    return f"**{pick_name(record.config.pick)}**: {listed(words)}."
