"""What the parts of rehearsal are worth: one thing changed at a time, on validation data.

    PYTHONPATH=. python benchmarks/rehearsal.py

Judged as ``python -m pru_demo search`` judges, by A_f, A_r, relearning and five shots, on the small
network and two classes: 1, the hardest to rehearse because warps of a stroke are strokes, and 3.
Retrain's and Original's five shots are those of the search's log. What
``benchmarks/results/rehearsal.json`` has already is not run again.
"""

import json
import time
from dataclasses import replace
from typing import Any

from machine import RESULTS, machine_facts

from pru_demo.config import Pick, RunConfig, Scenario, setting_of
from pru_demo.experiment.material import gather
from pru_demo.experiment.originals import obtain_original
from pru_demo.experiment.search import attempt, score
from pru_demo.files import replace_file
from pru_demo.parameters import as_json
from pru_demo.store import default_store_directory

CLASSES = (1, 3)
CHANGES: dict[str, list[dict[str, Any]]] = {
    "pru:rehearsed": [
        {},
        {"rehearsal_pool": 270},
        {"rehearsal_pool": 900},
        {"epochs": 3},
        {"epochs": 3, "rehearsal_pool": 900},
        {"rehearsal_weight": 0.0},
        {"rehearsal_balanced": False},
        {"rehearsal_combined": 1},
        {"rehearsal_combined": 2},
        {"rehearsal_warp": 0.5},
        {"rehearsal_pool": 9000},
        {"rehearsal_pool": 0},
    ],
    "delete:rehearsed": [
        {},
        {"rehearsal_pool": 900},
        {"epochs": 3},
        {"epochs": 3, "rehearsal_pool": 900},
        {"rehearsal_share": 0.5},
        {"rehearsal_weight": 0.0},
        {"rehearsal_pool": 0},
    ],
}


def main() -> None:
    """Try all changes on all classes, and write the result after each."""
    log = json.loads((RESULTS / "search-mnist-allcnn-small.json").read_text())
    file = RESULTS / "rehearsal.json"
    result: dict[str, Any] = {"runs": []}
    if file.exists():
        result = json.loads(file.read_text())
    result["machine"] = machine_facts()
    for pick, changes in CHANGES.items():
        for change in changes:
            for forgotten in CLASSES:
                params = {**base(pick), **change}
                what = {"method": pick, "change": change, "class": forgotten, "params": params}
                if any(run["what"] == what for run in result["runs"]):
                    continue
                run = measured(pick, change, forgotten, log["par"][str(forgotten)])
                result["runs"].append({"what": what, **run})
                replace_file(file, json.dumps(result, indent=1).encode() + b"\n")
                print(json.dumps(result["runs"][-1]), flush=True)


def base(pick: str) -> dict[str, Any]:
    """The parameters of a variant, as they are now."""
    return as_json(setting_of(RunConfig(Scenario(), Pick.parse(pick))).params)


def measured(pick: str, change: dict[str, Any], forgotten: int, par: Any) -> dict[str, Any]:
    """One attempt of the search, with its seconds and points."""
    scenario = Scenario(forget=(forgotten,))
    material = gather(scenario, on_validation=True)
    original = obtain_original(scenario, default_store_directory().parent / "originals")
    params: Any = setting_of(RunConfig(scenario, Pick.parse(pick))).params
    started = time.perf_counter()
    result = attempt(pick, replace(params, **change), original, material)
    points = score(result, par)
    result["points"] = round(points, 2) if points > float("-inf") else None
    result["seconds"] = round(time.perf_counter() - started, 1)
    return result


if __name__ == "__main__":
    main()
