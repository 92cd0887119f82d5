"""What pages show of a stored run's networks: which layers changed, and what an attacker can tell.

It works on stored weights, so it can be asked about any run at any time. Kernels are stored in half
precision, so that relative changes below about 3e-4 are rounding. None is what cannot be measured:
where there are too few images, no Retrain, no BatchNorm, or no numbers after divergence.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pru_demo.evaluation import layer_changes
from pru_demo.evaluation.attacks import attack_blocks
from pru_demo.evaluation.likeness import activations, likeness
from pru_demo.evaluation.loss_attack import NoAttack, loss_attack
from pru_demo.evaluation.observe import observe
from pru_demo.experiment.attacked import as_json
from pru_demo.experiment.material import Material
from pru_demo.experiment.record import RunRecord
from pru_demo.models.predict import accuracy, predict
from pru_demo.models.split import SplitModel

# Enough for a steady direction, and still few.
LAYER_SHOTS = 5

# Told what is being measured, and what share of the time is over.
Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class Bench:
    """A run and all it is measured with, on one device.

    ``networks`` are the stored ones by epoch of relearning, of which 0 is right after unlearning; a
    run that failed has no other. ``retrained`` is None where Retrain was not run, and so is what
    depends on it.
    """

    record: RunRecord
    material: Material
    networks: dict[int, SplitModel]
    original: SplitModel
    retrained: SplitModel | None

    @property
    def unlearned(self) -> SplitModel:
        """The network right after unlearning."""
        return self.networks[0]


def measure_inside(bench: Bench, tell: Tell) -> dict[str, Any]:
    """What is shown, as JSON; accuracies in percent.

    Where ``membership`` is None, ``no_membership`` ends a sentence on why.
    """
    tell("Attacking the network", 0.0)
    given, seen = bench.material.forget, observe(bench.unlearned, bench.material.test)
    forget_set = {
        # On the very images that the method was given to forget with. What argmax makes of NaN is
        # a class like any other, but no answer.
        "A_f": None if seen.diverged else accuracy(bench.unlearned, given.images, given.labels),
        **_membership(bench),
    }
    tell("Comparing its layers", 0.4)
    layers = _layers(bench)
    tell("Looking for the class in its layers", 0.7)
    return {"forget_set": forget_set, "layers": {**layers, "k_shot_auc": _known(bench)}}


def _membership(bench: Bench) -> dict[str, Any]:
    """Whether an attacker can tell images that the original was trained on from unseen ones."""
    scenario, test = bench.record.config.scenario, bench.material.test
    members = bench.material.members()
    of_class = torch.isin(test.labels, torch.tensor(scenario.forget, device=test.labels.device))
    trained = _cross_entropies(bench.unlearned, members.images, members.labels)
    unseen = _cross_entropies(bench.unlearned, test.images[of_class], test.labels[of_class])
    try:
        return {"membership": asdict(loss_attack(trained, unseen, scenario.seed))}
    except NoAttack as reason:
        return {"membership": None, "no_membership": str(reason)}


def _cross_entropies(network: SplitModel, images: Tensor, labels: Tensor) -> NDArray[np.float32]:
    losses = F.cross_entropy(predict(network, images), labels.long(), reduction="none")
    values: NDArray[np.float32] = losses.cpu().numpy()
    return values


def _known(bench: Bench) -> list[dict[str, Any]]:
    """The AUC with which ``LAYER_SHOTS`` images find the class in what each block sends on."""
    material = bench.material
    found = attack_blocks(
        bench.unlearned,
        material.relearn,
        material.shots,
        material.test,
        k=LAYER_SHOTS,
        seed=material.scenario.seed,
    )
    return [{"name": name, **as_json(each)} for name, each in found.items()]


def _layers(bench: Bench) -> dict[str, Any]:
    """How far each layer moved, and how like it still is to that of the other networks."""
    states = bench.unlearned.state_dict(), bench.original.state_dict()
    shown = bench.material.test.images[bench.material.test.shown]
    sent = activations(bench.unlearned, shown)

    def cka_to(other: SplitModel | None) -> list[dict[str, Any]] | None:
        if other is None:
            return None
        others = activations(other, shown)
        return [asdict(each) for each in likeness(sent, others, bench.material.forgotten)]

    blocks = layer_changes.blocks_of(bench.unlearned)
    return {
        "blocks": [asdict(change) for change in layer_changes.block_changes(*states, blocks)],
        "tensors": [asdict(change) for change in layer_changes.tensor_changes(*states)],
        "batch_norm": [asdict(drift) for drift in layer_changes.batch_norm_drift(*states)],
        "cka_to_original": cka_to(bench.original),
        "cka_to_retrained": cka_to(bench.retrained),
    }
