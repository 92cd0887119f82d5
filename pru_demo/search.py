"""How the ``tuned`` variants are found: a grid on class 0, judged on validation data only.

The paper tunes on class 0 and takes, among the settings with A_f below 1 %, the one with the
highest A_r right after unlearning. That rule cannot see relearning, which is what this project is
about. Ours asks the same A_f and takes the highest A_r minus the highest A_f that relearning
brings back. It is applied to every method alike, and the log notes what the paper's rule takes.
"""

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pru_demo.config import PRESETS, Scenario
from pru_demo.device import describe
from pru_demo.evaluation.observe import observe
from pru_demo.models.split import SplitModel
from pru_demo.originals import obtain_original
from pru_demo.relearning import relearn
from pru_demo.runs.material import Material, gather
from pru_demo.runs.pipeline import unlearn
from pru_demo.unlearning.parameters import BoundaryShrinkParams, Params, PRUParams, as_json

SEARCHED_CLASS = 0
MAX_A_F = 1.0
EPOCHS_LOOKED_AT = (1, 5, 10)


def grid(method: str, epochs: int) -> Iterator[Params]:
    """The settings that are tried for ``method``."""
    if method == "pru":
        for rate_e, rate_c, weight_s in itertools.product(
            (2e-3, 5e-3, 1e-2, 2e-2, 3e-2, 4e-2), (1e-2, 1e-1), (0.0, 0.1, 0.3)
        ):
            yield PRUParams(rate_e, rate_c, epochs, lambda_s=weight_s)
        # Without L_s the best of the above, so there the weight of L_o is worth a look.
        for rate_e, weight_o in itertools.product((3e-2, 4e-2, 6e-2), (0.0, 0.3, 3.0, 10.0)):
            yield PRUParams(rate_e, 1e-2, epochs, lambda_o=weight_o, lambda_s=0.0)
    else:
        for rate, epsilon in itertools.product((1e-4, 3e-4, 1e-3, 3e-3), (0.1, 0.25)):
            yield BoundaryShrinkParams(rate, epsilon, epochs)


def search(scenario: Scenario, methods: tuple[str, ...], kept_originals: Path, log: Path) -> None:
    """Try every setting and write ``log`` after each, best first by our rule.

    Settings that ``log`` already holds are not tried again, so a stopped search goes on.
    """
    material = gather(scenario, on_validation=True)
    original = obtain_original(scenario.dataset, scenario.model, scenario.seed, kept_originals)
    epochs = PRESETS[scenario.preset].epochs
    results: dict[str, list[dict[str, Any]]] = {}
    if log.exists():
        results = json.loads(log.read_text())["tried"]
    for method in methods:
        tried = results.setdefault(method, [])
        for params in grid(method, epochs):
            if any(each["params"] == as_json(params) for each in tried):
                continue
            tried.append(attempt(method, params, original, material))
            tried.sort(key=our_score, reverse=True)
            content = {
                "scenario": vars(scenario),
                "measured_on": "validation part",
                "rule": "A_f < 1 % after unlearning, then highest A_r - max relearned A_f",
                "device": describe(material.test.images.device),
                "made": time.strftime("%Y-%m-%d"),
                "chosen": {m: t[0]["params"] for m, t in results.items()},
                "paper_rule_would_choose": {
                    m: max(t, key=paper_score)["params"] for m, t in results.items()
                },
                "tried": results,
            }
            log.write_text(json.dumps(content, indent=1) + "\n")


def attempt(
    method: str, params: Params, original: SplitModel, material: Material
) -> dict[str, Any]:
    """Unlearn, relearn, and measure A_f and A_r (percent) at relearning epochs 0, 1, 5, 10."""
    forget = material.scenario.forget
    model = original
    for step in unlearn(method, original, material, params):
        model = step.model
    after = observe(model, material.test)
    curve = [after.accuracies(forget)]
    # A setting that fails the rule need not be relearned.
    if after.problem() is None and curve[0][0] < MAX_A_F:
        epochs = relearn(
            model, material.relearn_images, material.relearn_labels, seed=material.scenario.seed
        )
        curve += (
            observe(done.model, material.test).accuracies(forget)
            for done in epochs
            if done.epoch in EPOCHS_LOOKED_AT
        )
    a_f, a_r = ([round(value, 2) for value in values] for values in zip(*curve, strict=True))
    return {"params": dict(as_json(params)), "A_f": a_f, "A_r": a_r, "failure": after.problem()}


def our_score(result: dict[str, Any]) -> float:
    """A_r after unlearning minus the highest A_f during relearning; −∞ if the rule excludes it."""
    if len(result["A_f"]) == 1:
        return float("-inf")
    score: float = result["A_r"][0] - max(result["A_f"][1:])
    return score


def paper_score(result: dict[str, Any]) -> float:
    """A_r after unlearning; −∞ unless A_f is below 1 %."""
    return result["A_r"][0] if len(result["A_f"]) > 1 else float("-inf")
