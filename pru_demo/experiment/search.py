"""How the ``tuned`` and ``rehearsed`` variants are found: on validation data of several classes.

The paper tunes on class 0 and takes, among the settings with A_f below 1 %, the one with the
highest A_r right after unlearning. That rule cannot see relearning, nor what the features still
tell, nor that another class may be harder. Ours asks the same A_f of every class and takes

    A_r  −  the highest A_f after 1, 2 and 5 epochs of relearning  −  10 · the knowledge left

in percent, mean over the classes: the knowledge left is where five shots of the class place the
network between Retrain (0) and Original (1), see ``evaluation/knowledge.py``. Every method that is
searched is searched by the same rule with the same number of settings. The classes are taken one
after the other, and a setting that after two or more has fallen too far behind the best of its
method is given up.
"""

import itertools
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pru_demo.config import Pick, RunConfig, Scenario, relearning_of, setting_of
from pru_demo.device import describe
from pru_demo.evaluation.attacks import attack_features
from pru_demo.evaluation.knowledge import KShotAUC, knowledge_left
from pru_demo.evaluation.observe import observe
from pru_demo.evaluation.relearning import relearn
from pru_demo.experiment.material import Material, gather
from pru_demo.experiment.originals import obtain_original
from pru_demo.experiment.run import unlearn
from pru_demo.files import replace_file
from pru_demo.models.split import SplitModel
from pru_demo.parameters import Params, as_json

CLASSES = (0, 1, 2, 3, 4)
MAX_A_F = 1.0
RELEARNED = 5  # epochs
EPOCHS_LOOKED_AT = (1, 2, 5)
SHOTS = 5
# Points of A_r that all of the knowledge is worth.
KNOWLEDGE = 10.0
# Points behind the best of its method, on the classes so far, at which a setting is given up; and
# on how many classes it must have been tried, so that no single one decides.
TOO_FAR = 3.0
TRIED_ON = 2
# Settings that each method has.
BUDGET = 8

_RATES = {"learning_rate": (1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 3e-2, 5e-2, 1e-1)}
_SMALL_RATES = {"learning_rate": (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)}

# Of each variant; every other parameter keeps its value.
AXES: dict[str, dict[str, tuple[Any, ...]]] = {
    "pru:rehearsed": {
        "learning_rate_E": (5e-3, 1e-2),
        "lambda_o": (0.0, 1.0),
        "lambda_s": (0.0, 0.1),
    },
    "pru:tuned": {"learning_rate_E": (1e-2, 2e-2, 3e-2, 4e-2), "lambda_s": (0.0, 0.1)},
    "delete:rehearsed": {
        "learning_rate": (3e-3, 5e-3, 1e-2, 2e-2),
        "rehearsal_share": (0.5, 0.7),
    },
    "delete:tuned": _RATES,
    "boundary_shrink:tuned": {
        "learning_rate": (1e-4, 3e-4, 1e-3, 3e-3),
        "epsilon": (0.1, 0.25),
    },
    "boundary_expanding:paper": _SMALL_RATES,
    "random_label:tuned": _RATES,
    "salun:tuned": _RATES,
    "negative_gradient:tuned": _SMALL_RATES,
    "spotter:released": {
        "learning_rate": (1e-5, 3e-5, 1e-4, 3e-4),
        "lambda_similarity": (0.0, 1.0),
    },
    "unroll_of:tuned": {"learning_rate": (0.02, 0.05), "ratio": (1.5, 2, 4, 8)},
}


def grid(pick: str, base: Params) -> Iterator[Params]:
    """The settings that are tried for ``pick``: ``base`` with the values of its axes.

    Raises ValueError for a variant without axes.
    """
    if pick not in AXES:
        raise ValueError(f"There is nothing to search for {pick!r}; there is {', '.join(AXES)}.")
    for values in itertools.product(*AXES[pick].values()):
        changes = dict(zip(AXES[pick], values, strict=True))
        # Unrolling's σ only has a meaning next to η (docs/methods.md, "Unrolling").
        if ratio := changes.pop("ratio", None):
            changes["sigma"] = ratio * changes["learning_rate"]
        yield replace(base, **changes)


def search(
    scenario: Scenario,
    classes: Sequence[int],
    picks: Sequence[str],
    kept_originals: Path,
    log: Path,
) -> None:
    """Try the settings of ``picks`` on each of the ``classes``; ``log`` is written after each.

    What ``log`` already holds is not tried again, so a stopped search goes on. Raises ValueError
    for a log of another scenario, and for a variant that is not to be searched.
    """
    earlier = json.loads(log.read_text()) if log.exists() else {}
    asked = {**scenario.content(), "forget": list(classes)}
    if {**earlier.get("scenario", asked), "forget": list(classes)} != asked:
        raise ValueError(f"{log} is the log of another scenario; name another one with --log.")
    race = Race(earlier)
    original = obtain_original(scenario, kept_originals)
    # Bad names are told before minutes are spent.
    settings = {pick: list(grid(pick, _base(scenario, pick))) for pick in picks}
    so_far: list[str] = []
    for forgotten in classes:
        so_far.append(str(forgotten))
        material = gather(replace(scenario, forget=(forgotten,)), on_validation=True)
        about = {
            "scenario": asked,
            "measured_on": "validation part",
            "rule": f"A_f < {MAX_A_F:g} % of every class, then highest A_r - max relearned A_f - "
            f"{KNOWLEDGE:g} * knowledge left, mean over the classes",
            "device": describe(material.test.images.device),
            "made": time.strftime("%Y-%m-%d"),
        }
        if so_far[-1] not in race.par:
            race.par[so_far[-1]] = par(original, material)
        for pick, of_pick in settings.items():
            for params in of_pick:
                if race.wants(pick, params, so_far[-1]):
                    result = attempt(pick, params, original, material)
                    race.note(pick, params, so_far[-1], result)
                    _write(log, {**about, **race.content()})
            if len(so_far) >= TRIED_ON:
                race.give_up(pick, so_far)
        _write(log, {**about, **race.content()})


def _write(log: Path, content: dict[str, Any]) -> None:
    replace_file(log, json.dumps(content, indent=1).encode() + b"\n")


def _base(scenario: Scenario, pick: str) -> Params:
    known = Pick.parse(pick)
    try:
        return setting_of(RunConfig(scenario, known)).params
    except KeyError:
        raise ValueError(f"There is no variant {pick!r} for this network to search.") from None


class Race:
    """What has been tried, by variant: parameters, and how they did on each class so far."""

    def __init__(self, earlier: dict[str, Any]) -> None:
        self.par: dict[str, dict[str, Any]] = earlier.get("par", {})
        self._tried: dict[str, list[dict[str, Any]]] = earlier.get("tried", {})

    def wants(self, pick: str, params: Params, forgotten: str) -> bool:
        """Whether ``params`` are still to be tried on a class."""
        known = self._find(pick, params)
        return known is None or not (known["given_up"] or forgotten in known["classes"])

    def note(self, pick: str, params: Params, forgotten: str, result: dict[str, Any]) -> None:
        """Write down how ``params`` did."""
        known = self._find(pick, params)
        if known is None:
            known = {"params": as_json(params), "classes": {}, "given_up": False}
            self._tried.setdefault(pick, []).append(known)
        known["classes"][forgotten] = result

    def give_up(self, pick: str, classes: Sequence[str]) -> None:
        """Leave out from now on what lies too far behind on ``classes``, as far as it got there."""
        running = [each for each in self._tried[pick] if not each["given_up"]]
        scores = [self._score(each, classes) for each in running]
        for each, points in zip(running, scores, strict=True):
            # With all of them at −∞, which is no number of points behind, all go on.
            each["given_up"] = points < max(scores) - TOO_FAR

    def content(self) -> dict[str, Any]:
        """For the log: what would be chosen, and all that was tried, the best first.

        Nothing is chosen where no setting passes the rule on every class it was tried on.
        """
        for tried in self._tried.values():
            for each in tried:
                points = self._score(each, list(each["classes"]))
                each["score"] = round(points, 3) if math.isfinite(points) else None
            tried.sort(key=_rank, reverse=True)
        chosen = {
            pick: None if tried[0]["score"] is None else tried[0]["params"]
            for pick, tried in self._tried.items()
        }
        return {"chosen": chosen, "par": self.par, "tried": self._tried}

    def _find(self, pick: str, params: Params) -> dict[str, Any] | None:
        # A log may be older than some parameters, which then had their default.
        same = (e for e in self._tried.get(pick, []) if type(params)(**e["params"]) == params)
        return next(same, None)

    def _score(self, known: dict[str, Any], classes: Sequence[str]) -> float:
        """Mean over ``classes``; −∞ where the rule excludes it on one of them."""
        results = known["classes"]
        scores = [score(results[c], self.par[c]) for c in classes if c in results]
        return sum(scores) / len(scores)


def _rank(known: dict[str, Any]) -> tuple[int, float]:
    """Those that went on to more classes come first."""
    return len(known["classes"]), -math.inf if known["score"] is None else known["score"]


def par(original: SplitModel, material: Material) -> dict[str, Any]:
    """What five shots find in Original and in Retrain: the scale of the knowledge left."""
    *_, last = unlearn(
        "retrain",
        original,
        material,
        setting_of(RunConfig(material.scenario, Pick("retrain", "paper"))).params,
    )
    networks = {"original": original, "retrain": last.model}
    return {name: five_shots(network, material) for name, network in networks.items()}


def five_shots(network: SplitModel, material: Material) -> dict[str, Any]:
    """The AUC of an attacker with five images of the class: mean and deviation over draws."""
    seed = material.scenario.seed
    found = attack_features(network, material.relearn, material.shots, material.test, seed=seed)
    return asdict(found[SHOTS])


def attempt(pick: str, params: Params, original: SplitModel, material: Material) -> dict[str, Any]:
    """Unlearn, relearn, attack: A_f and A_r (percent) at relearning epochs 0, 1, 2, 5."""
    forget = material.scenario.forget
    model = original
    for step in unlearn(Pick.parse(pick).method, original, material, params):
        model = step.model
    after = observe(model, material.test)
    curve = [after.accuracies(forget)]
    found = five_shots(model, material)
    # A setting that fails the rule need not be relearned.
    if after.problem() is None and curve[0][0] < MAX_A_F:
        scenario = material.scenario
        settings = replace(relearning_of(scenario), epochs=RELEARNED)
        for done in relearn(model, material.relearn, seed=scenario.seed, settings=settings):
            if done.epoch in EPOCHS_LOOKED_AT and after.problem() is None:
                after = observe(done.model, material.test)
                curve.append(after.accuracies(forget))
    a_f, a_r = ([round(value, 2) for value in values] for values in zip(*curve, strict=True))
    return {"A_f": a_f, "A_r": a_r, "five_shots": found, "failure": after.problem()}


def score(result: dict[str, Any], par: dict[str, Any]) -> float:
    """The rule for one class, in points; −∞ if it excludes the setting."""
    if result["failure"] or len(result["A_f"]) == 1:
        return -math.inf
    scale = (KShotAUC(**par["original"]), KShotAUC(**par["retrain"]))
    left = knowledge_left(KShotAUC(**result["five_shots"]), *scale)
    points: float = result["A_r"][0] - max(result["A_f"][1:])
    return points - KNOWLEDGE * max(0.0, left or 0.0)
