"""What attacks find in a run's networks, as JSON: in its record, and once more from its weights."""

from dataclasses import replace
from typing import Any

from pru_demo.evaluation.attacks import attack_features
from pru_demo.evaluation.knowledge import KShotAUC
from pru_demo.experiment.material import Material, gather
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.stored_networks import stored_network
from pru_demo.models.split import SplitModel
from pru_demo.store.entry import Entry


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
        "k_shot_auc": {str(k): _as_json(each) for k, each in found.items()},
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


def _as_json(found: KShotAUC) -> dict[str, Any]:
    said: dict[str, Any] = {"mean": found.mean, "deviation": found.deviation}
    return said | {"reason": found.reason} if found.reason else said
