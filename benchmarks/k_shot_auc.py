"""How long the k-shot AUC takes for all networks that a page shows together.

    PYTHONPATH=. python benchmarks/k_shot_auc.py

Attacks A, B and the references of the default page, from their stored weights, in one process on
all cores; writes ``benchmarks/results/k-shot-auc.json``.
"""

import time

from machine import RESULTS, machine_facts, write_result

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.evaluation.attacks import attack_features, extract
from pru_demo.experiment.keys import weights_key
from pru_demo.experiment.material import gather
from pru_demo.experiment.stored_networks import stored_network
from pru_demo.links import View
from pru_demo.paths import RECORDS
from pru_demo.store.bundle import Bundle

REPEATS = 3
PICKS = (View().a, View().b, Pick("retrain", "paper"), Pick("original", "paper"))


def main() -> None:
    """Measure, print and write the result."""
    facts, bundle = machine_facts(), Bundle(RECORDS)
    result: dict[str, object] = {
        "what": f"fastest of {REPEATS}: seconds of the attack on {len(PICKS)} networks together, "
        "and the share of it that is pushing the images through them",
        "machine": facts,
    }
    for preset in ("classroom", "full"):
        scenario = Scenario(preset=preset)
        material, networks = gather(scenario), []
        for pick in PICKS:
            weights = bundle.get(weights_key(RunConfig(scenario, pick)))
            assert weights is not None
            networks.append(stored_network(scenario, weights.arrays, 0))
        images = (material.relearn.images, material.shots.images, material.test.images)
        whole, seeing = [], []
        for _ in range(REPEATS):
            began = time.perf_counter()
            for network in networks:
                attack_features(
                    network, material.relearn, material.shots, material.test, seed=scenario.seed
                )
            between = time.perf_counter()
            for network in networks:
                for each in images:
                    extract(network, each)
            whole.append(between - began)
            seeing.append(time.perf_counter() - between)
        result[preset] = {
            "images": sum(map(len, images)),
            "seconds": round(min(whole), 2),
            "share_of_seeing": round(min(seeing) / min(whole), 2),
        }
    write_result(RESULTS / "k-shot-auc.json", result)


if __name__ == "__main__":
    main()
