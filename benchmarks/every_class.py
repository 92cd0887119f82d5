"""How methods fare on every class: what they keep, what comes back, what the features still tell.

    PYTHONPATH=. python benchmarks/every_class.py --methods pru:rehearsed,retrain:paper --seeds 7,8

Everything is measured on the test part, with the settings of the registry. Each run is written to
``benchmarks/results/every-class-DATASET-MODEL.json`` when it is done, and what is there already is
not run again. ``--table`` prints what is there, as Markdown.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from machine import RESULTS, machine_facts

from pru_demo.config import Pick, RunConfig, Scenario, relearning_of, setting_of
from pru_demo.data import DATASETS
from pru_demo.evaluation.attacks import attack_features
from pru_demo.evaluation.knowledge import KShotAUC, knowledge_left
from pru_demo.evaluation.observe import observe
from pru_demo.evaluation.relearning import batch_norm_only, relearn
from pru_demo.experiment.material import gather
from pru_demo.experiment.originals import obtain_original
from pru_demo.experiment.run import unlearn
from pru_demo.files import replace_file
from pru_demo.models.split import has_batch_norm
from pru_demo.parameters import as_json
from pru_demo.store import default_store_directory

Result = dict[str, Any]


def main() -> None:
    """Run what is missing, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--model", default="allcnn-small")
    parser.add_argument("--preset", default="classroom")
    parser.add_argument("--methods", default="pru:rehearsed")
    parser.add_argument("--seeds", default="7")
    parser.add_argument("--classes", help="comma-separated; default: all")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    preset = "" if options.preset == "classroom" else f"-{options.preset}"
    name = f"every-class-{options.dataset}-{options.model}{preset}.json"
    file: Path = options.out or RESULTS / name
    content: Result = {"runs": []}
    if file.exists():
        content = json.loads(file.read_text())
    if options.table:
        print(table([run for run in content["runs"] if is_current(run, options)]))
        return
    content["machine"] = machine_facts()
    for config in wanted(options):
        if not any(run["what"] == what(config) for run in content["runs"]):
            content["runs"].append(measured(config))
            replace_file(file, json.dumps(content, indent=1).encode() + b"\n")
            print(json.dumps(content["runs"][-1]), flush=True)


def wanted(options: argparse.Namespace) -> Iterator[RunConfig]:
    """All that was asked for: a class with all its methods before the next."""
    count = len(DATASETS[options.dataset].class_names)
    classes = map(int, options.classes.split(",")) if options.classes else range(count)
    for forgotten in classes:
        for seed in map(int, options.seeds.split(",")):
            scenario = Scenario(
                dataset=options.dataset,
                model=options.model,
                forget=(forgotten,),
                preset=options.preset,
                seed=seed,
            )
            for pick in options.methods.split(","):
                yield RunConfig(scenario, Pick.parse(pick))


def what(config: RunConfig) -> Result:
    """By which a run is found again: changed parameters are another run."""
    return {
        "method": str(config.pick),
        "class": config.scenario.forget[0],
        "seed": config.scenario.seed,
        "params": as_json(setting_of(config).params),
    }


def is_current(run: Result, options: argparse.Namespace) -> bool:
    """Whether the registry would still run it so."""
    asked = run["what"]
    scenario = Scenario(
        dataset=options.dataset,
        model=options.model,
        forget=(asked["class"],),
        preset=options.preset,
        seed=asked["seed"],
    )
    return what(RunConfig(scenario, Pick.parse(asked["method"]))) == asked


def measured(config: RunConfig) -> Result:
    """Unlearn, attack, relearn for ten epochs; accuracies in percent."""
    scenario, params = config.scenario, setting_of(config).params
    material = gather(scenario)
    original = obtain_original(scenario, default_store_directory().parent / "originals")
    model, spent, note = original, 0, ""
    started = time.perf_counter()
    for step in unlearn(config.pick.method, original, material, params):
        model, spent, note = step.model, step.forward_equivalents, step.note
    seconds = time.perf_counter() - started
    forget, settings = scenario.forget, relearning_of(scenario)
    after = observe(model, material.test)
    curve = [after.accuracies(forget)]
    shots = attack_features(
        model, material.relearn, material.shots, material.test, seed=scenario.seed
    )
    control = None
    if has_batch_norm(model):
        moved = batch_norm_only(model, material.relearn, seed=scenario.seed, settings=settings)
        control = observe(moved, material.test).accuracies(forget)
    curve += (
        observe(done.model, material.test).accuracies(forget)
        for done in relearn(model, material.relearn, seed=scenario.seed, settings=settings)
    )
    return {
        "what": what(config),
        "A_f": [round(a_f, 2) for a_f, _ in curve],
        "A_r": [round(a_r, 2) for _, a_r in curve],
        "bn_only": control and [round(value, 2) for value in control],
        "k_shot_auc": {str(k): asdict(found) for k, found in shots.items()},
        "forward_equivalents": spent,
        "seconds": round(seconds, 1),
        "note": note,
        "failure": after.problem(),
    }


def table(runs: list[Result]) -> str:
    """A row per method: mean over classes and seeds, and the worst in brackets.

    Of runs with the parameters that the registry has now; those that broke the network are counted
    only.
    """
    lines = [
        "| method | runs | A_f | A_r | BatchNorm-only A_r | highest A_f, relearned "
        "| five-shot AUC | knowledge left |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by_method: dict[str, list[Result]] = {}
    for run in runs:
        by_method.setdefault(run["what"]["method"], []).append(run)
    for method, everyone in by_method.items():
        of_method = [run for run in everyone if not run.get("failure")]
        count = f"{len(of_method)} of {len(everyone)}"
        cells = [
            both([run["A_f"][0] for run in of_method], max),
            both([run["A_r"][0] for run in of_method], min),
            both([run["bn_only"][1] for run in of_method if run["bn_only"]], min),
            both([max(run["A_f"][1:]) for run in of_method], max),
            both([run["k_shot_auc"]["5"]["mean"] for run in of_method], max, 4),
            both([left for run in of_method if (left := left_of(run, by_method)) is not None], max),
        ]
        lines.append(f"| {method} | {count} | {' | '.join(cells)} |")
    return "\n".join(lines)


def left_of(run: Result, by_method: dict[str, list[Result]]) -> float | None:
    """By five shots, if Original and Retrain of this class and seed are there."""
    scale = []
    for method in ("original:paper", "retrain:paper"):
        same = [
            other
            for other in by_method.get(method, [])
            if all(other["what"][key] == run["what"][key] for key in ("class", "seed"))
        ]
        if not same:
            return None
        scale.append(KShotAUC(**same[0]["k_shot_auc"]["5"]))
    return knowledge_left(KShotAUC(**run["k_shot_auc"]["5"]), *scale)


def both(values: list[float], worst: Any, digits: int = 2) -> str:
    """``98.31 (97.50)``: mean and worst."""
    if not values:
        return "–"
    return f"{statistics.mean(values):.{digits}f} ({worst(values):.{digits}f})"


if __name__ == "__main__":
    main()
