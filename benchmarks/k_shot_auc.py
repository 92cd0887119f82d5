"""What the k-shot AUC costs, beside an epoch of relearning of the same network.

    PYTHONPATH=. OPENBLAS_NUM_THREADS=1 python benchmarks/k_shot_auc.py

Attacks two methods and the references from their stored weights on one thread; counts
the seconds that the processor worked, which others on the machine do not lengthen as they do the
time on the wall; writes ``benchmarks/results/k-shot-auc.json``.
"""

import time
from collections.abc import Callable

import torch
from machine import RESULTS, machine_facts, write_result

from pru_demo.config import Pick, RunConfig, Scenario, relearning_of
from pru_demo.evaluation.attacks import attack_features, extract
from pru_demo.evaluation.relearning import relearn
from pru_demo.experiment.keys import weights_key
from pru_demo.experiment.material import gather
from pru_demo.experiment.stored_networks import stored_network
from pru_demo.models.split import SplitModel
from pru_demo.paths import RECORDS
from pru_demo.store.bundle import Bundle

REPEATS = 3
PICKS = (
    *(Pick("pru", "tuned"), Pick("boundary_shrink", "tuned")),
    *(Pick("retrain", "paper"), Pick("original", "paper")),
)


def main() -> None:
    """Measure, print and write the result."""
    torch.set_num_threads(1)
    facts = machine_facts()
    result = {
        "what": f"least processor seconds of {REPEATS}: the attack on {len(PICKS)} networks "
        "together, pushing its images through them alone, and an epoch of relearning of one",
        "machine": facts,
        **{preset: measured(Scenario(preset=preset)) for preset in ("classroom", "full")},
    }
    write_result(RESULTS / "k-shot-auc.json", result)


def measured(scenario: Scenario) -> dict[str, float]:
    """The seconds on the data of ``scenario``, and how many images there are."""
    material, networks = gather(scenario), [stored(scenario, pick) for pick in PICKS]
    parts = (material.relearn, material.shots, material.test)

    def attack() -> None:
        for network in networks:
            attack_features(network, *parts, seed=scenario.seed)

    def see() -> None:
        for network in networks:
            for part in parts:
                extract(network, part.images)

    def learn() -> None:
        settings = relearning_of(scenario)
        next(relearn(networks[0], material.relearn, seed=scenario.seed, settings=settings))

    attacked, seen, learned = map(least, (attack, see, learn))
    return {
        "images": sum(len(part.images) for part in parts),
        "attack": round(attacked, 2),
        "seeing": round(seen, 2),
        "relearning_epoch": round(learned, 2),
        "attack_of_one_in_epochs": round(attacked / len(PICKS) / learned, 2),
    }


def stored(scenario: Scenario, pick: Pick) -> SplitModel:
    """A bundled network right after unlearning."""
    weights = Bundle(RECORDS).get(weights_key(RunConfig(scenario, pick)))
    assert weights is not None
    return stored_network(scenario, weights.arrays, 0)


def least(work: Callable[[], None]) -> float:
    """The fewest processor seconds that ``work`` took."""
    taken = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


if __name__ == "__main__":
    main()
