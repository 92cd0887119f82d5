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
from dataclasses import replace
from pathlib import Path
from typing import Any

from pru_demo.config import Pick, RunConfig, Scenario, relearning_of, setting_of, variants_of
from pru_demo.device import describe
from pru_demo.evaluation.observe import observe
from pru_demo.evaluation.relearning import relearn
from pru_demo.experiment.material import Material, gather
from pru_demo.experiment.originals import obtain_original
from pru_demo.experiment.run import unlearn
from pru_demo.files import replace_file
from pru_demo.models.split import SplitModel
from pru_demo.parameters import Params, as_json

SEARCHED_CLASS = 0
MAX_A_F = 1.0
EPOCHS_LOOKED_AT = (1, 5, 10)


# Every other parameter keeps the value of the preferred variant.
AXES: dict[str, tuple[dict[str, tuple[Any, ...]], ...]] = {
    "pru": (
        {
            "learning_rate_E": (2e-3, 5e-3, 1e-2, 2e-2, 3e-2, 4e-2),
            "learning_rate_C": (1e-2, 1e-1),
            "lambda_s": (0.0, 0.1, 0.3),
        },
        # Without L_s the best of the above, so there the weight of L_o is worth a look.
        {
            "learning_rate_E": (3e-2, 4e-2, 6e-2),
            "learning_rate_C": (1e-2,),
            "lambda_s": (0.0,),
            "lambda_o": (0.0, 0.3, 3.0, 10.0),
        },
    ),
    "boundary_shrink": ({"learning_rate": (1e-4, 3e-4, 1e-3, 3e-3), "epsilon": (0.1, 0.25)},),
    "boundary_expanding": ({"learning_rate": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)},),
    "delete": ({"learning_rate": (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)},),
    "random_label": ({"learning_rate": (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)},),
    "salun": ({"learning_rate": (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)},),
    "negative_gradient": ({"learning_rate": (1e-5, 3e-5, 1e-4, 3e-4, 1e-3)},),
    "unroll_of": ({"learning_rate": (0.005, 0.02, 0.05), "ratio": (1.5, 2, 4, 8)},),
}


def grid(method: str, base: Params) -> Iterator[Params]:
    """The settings that are tried for ``method``: ``base`` with the values of its axes.

    Raises ValueError for a method without axes.
    """
    if method not in AXES:
        raise ValueError(f"There is nothing to search for {method!r}; there is {', '.join(AXES)}.")
    for axes in AXES[method]:
        for values in itertools.product(*axes.values()):
            changes = dict(zip(axes, values, strict=True))
            # Unrolling's σ only has a meaning next to η (docs/methods.md, "Unrolling").
            if ratio := changes.pop("ratio", None):
                changes["sigma"] = ratio * changes["learning_rate"]
            yield replace(base, **changes)


def search(scenario: Scenario, methods: tuple[str, ...], kept_originals: Path, log: Path) -> None:
    """Try every setting and write ``log`` after each, best first by our rule.

    Settings that ``log`` already holds are not tried again, so a stopped search goes on.
    """
    material = gather(scenario, on_validation=True)
    original = obtain_original(scenario, kept_originals)
    results: dict[str, list[dict[str, Any]]] = {}
    if log.exists():
        results = json.loads(log.read_text())["tried"]
    for method in methods:
        tried = results.setdefault(method, [])
        pick = Pick(method, variants_of(method, scenario)[0])
        base = setting_of(RunConfig(scenario, pick)).params
        for params in grid(method, base):
            # A log may be older than some parameters, which then had their default.
            if any(type(params)(**each["params"]) == params for each in tried):
                continue
            tried.append(attempt(method, params, original, material))
            tried.sort(key=our_score, reverse=True)
            content = {
                "scenario": scenario.content(),
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
            replace_file(log, json.dumps(content, indent=1).encode() + b"\n")


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
        scenario = material.scenario
        settings = relearning_of(scenario)
        epochs = relearn(model, material.relearn, seed=scenario.seed, settings=settings)
        curve += (
            observe(done.model, material.test).accuracies(forget)
            for done in epochs
            if done.epoch in EPOCHS_LOOKED_AT
        )
    a_f, a_r = ([round(value, 2) for value in values] for values in zip(*curve, strict=True))
    return {"params": as_json(params), "A_f": a_f, "A_r": a_r, "failure": after.problem()}


def our_score(result: dict[str, Any]) -> float:
    """A_r after unlearning minus the highest A_f during relearning; −∞ if the rule excludes it."""
    if len(result["A_f"]) == 1:
        return float("-inf")
    score: float = result["A_r"][0] - max(result["A_f"][1:])
    return score


def paper_score(result: dict[str, Any]) -> float:
    """A_r after unlearning; −∞ unless A_f is below 1 %."""
    return result["A_r"][0] if len(result["A_f"]) > 1 else float("-inf")
