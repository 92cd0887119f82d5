"""What attacks find in a run's networks: in its record, and from its stored weights on demand.

The latter are entries of their own, one per attack. ``features`` is as in the record;
``last_layer`` has ``A_f`` and ``A_r`` of every draw, in percent, and ``predicted`` (draws, n); and
relearning is a record once more, whose relearning was the attack, with no arrays but ``ARRAYS``.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pru_demo.config import relearning_of
from pru_demo.evaluation.attacks import attack_features, extract
from pru_demo.evaluation.knowledge import KShotAUC
from pru_demo.evaluation.loss_attack import NoAttack
from pru_demo.evaluation.observe import observe
from pru_demo.evaluation.relearning import relearn, with_shots
from pru_demo.evaluation.weight_attacks import rewritten_rows
from pru_demo.experiment.attack import Attack
from pru_demo.experiment.material import Material, gather
from pru_demo.experiment.record import RunRecord, Snapshot, forgotten_among
from pru_demo.experiment.stored_networks import stored_network
from pru_demo.models.split import SplitModel
from pru_demo.store.entry import Entry

# What is looked at after an attack; all else would make an entry ten times as big.
ARRAYS = ("shown", "labels", "predicted", "confusion")


def attacks_on(network: SplitModel, material: Material) -> dict[str, Any]:
    """What every record has of its network right after unlearning.

    ``k_shot_auc`` by k: ``mean`` and ``deviation``, None with a ``reason`` where there was no
    attack. ``shots_were_seen``: the attacker's images of the class are some that methods were given
    to forget with, because there were no others.
    """
    found = attack_features(
        network, material.relearn, material.shots, material.test, seed=material.scenario.seed
    )
    return {
        "k_shot_auc": {str(k): as_json(each) for k, each in found.items()},
        "shots_were_seen": material.shots_were_seen,
    }


def with_attacks(record: RunRecord, weights: Entry) -> RunRecord:
    """``record`` with its attacks, by the stored ``weights`` of its run, kernels in halves.

    For runs that are older than the attacks, and cheap beside running them again. Raises
    :class:`pru_demo.models.checkpoints.DamagedCheckpoint` for weights that do not fit.
    """
    material = gather(record.config.scenario)
    network = stored_network(record.config.scenario, weights.arrays, epoch=0)
    device = material.test.images.device
    return replace(record, attacks=attacks_on(network.to(device), material))


def carry_out(
    attack: Attack, record: RunRecord, weights: Entry, tell: Callable[[str, float], None]
) -> Entry:
    """Attack the stored network right after unlearning; ``tell`` hears what is done, and how much
    of it is over.

    Raises ValueError with a sentence where the attack is not possible, and what
    :func:`with_attacks` raises.
    """
    if attack.kind == "features":
        tell("Looking for the class in its features", 0.0)
        return Entry(with_attacks(record, weights).attacks or {})
    if record.failure:
        raise ValueError(f"Unlearning broke this network ({record.failure}): nothing to attack.")
    scenario = record.config.scenario
    material = gather(scenario)
    network = stored_network(scenario, weights.arrays, epoch=0)
    network.to(material.test.images.device)
    try:
        if attack.kind == "last_layer":
            tell("Writing a new row of the last layer", 0.0)
            return rewrite(attack.k, network, material)
        return relearn_again(attack, record, network, material, tell).to_entry()
    except NoAttack as reason:
        raise ValueError(f"This attack is not possible: {reason}.") from reason


def rewrite(k: int, network: SplitModel, material: Material) -> Entry:
    """The class's row written anew from each draw of ``k`` images. Raises NoAttack for too few."""
    test, forget = material.test, material.scenario.forget
    e, e_of_class = extract(network, test.images), extract(network, material.shots.images)
    labels = material.shots.labels.cpu().numpy()
    of_class = {c: e_of_class[labels == c] for c in forget}
    weight, bias = (each.detach().cpu().numpy() for each in network.classifier.parameters())
    true, shown = test.labels.cpu().numpy(), test.shown.cpu().numpy()
    forgotten = forgotten_among(true, material.scenario)
    answers = [
        (e @ rows.T + biases).argmax(1)
        for rows, biases in rewritten_rows(weight, bias, of_class, k, material.scenario.seed)
    ]
    hits = [each == true for each in answers]
    return Entry(
        {
            "A_f": [100 * float(each[forgotten].mean()) for each in hits],
            "A_r": [100 * float(each[~forgotten].mean()) for each in hits],
        },
        {"predicted": np.stack([each[shown] for each in answers]).astype(np.uint8)},
    )


def relearn_again(
    attack: Attack,
    record: RunRecord,
    network: SplitModel,
    material: Material,
    tell: Callable[[str, float], None],
) -> RunRecord:
    """``record`` with another relearning of ``network``, for as many epochs as its own, and with
    the arrays ``ARRAYS`` only.

    Its ``failure`` says if the attack broke the network, which ends it. Raises NoAttack if there
    are too few images of the class.
    """
    scenario, data = material.scenario, material.relearn
    if attack.kind == "class":
        data = with_shots(data, material.shots, attack.k, seed=scenario.seed)
    settings = relearning_of(scenario)
    faster = replace(settings, learning_rate=attack.rate * settings.learning_rate)
    attacked = record.before_relearning()
    tell("Relearning", 0.0)
    for done in relearn(network, data, seed=scenario.seed, settings=faster):
        seen = observe(done.model, material.test)
        loss = {"cross-entropy": done.loss} if math.isfinite(done.loss) else {}
        accuracies = seen.accuracies(scenario.forget)
        snapshot = Snapshot("relearn", done.epoch, "all", *accuracies, loss)
        attacked = attacked.with_snapshot(snapshot, seen.confusion, seen.probabilities)
        tell(f"Relearning, epoch {done.epoch} of {faster.epochs}", done.epoch / faster.epochs)
        if seen.diverged:
            attacked = replace(attacked, failure=seen.problem())
            break
    return replace(attacked, arrays={name: attacked.arrays[name] for name in ARRAYS})


def as_json(found: KShotAUC) -> dict[str, Any]:
    """``mean`` and ``deviation``, and the ``reason`` if there is one."""
    said: dict[str, Any] = {"mean": found.mean, "deviation": found.deviation}
    return said | {"reason": found.reason} if found.reason else said
