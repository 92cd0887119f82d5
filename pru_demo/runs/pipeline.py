"""From a RunConfig to a RunRecord: unlearn, relearn, measure after every half epoch.

Used by the pages (in the engine's workers), by the command line and by the parameter search.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pru_demo.config import RunConfig
from pru_demo.device import describe, peak_bytes
from pru_demo.heartbeat import listening
from pru_demo.models import function_of
from pru_demo.models.split import SplitModel
from pru_demo.originals import obtain_original
from pru_demo.relearning import batch_norm_only, relearn
from pru_demo.relearning_epochs import EPOCHS as RELEARNING_EPOCHS
from pru_demo.runs.material import Material, gather
from pru_demo.runs.record import RunRecord, Snapshot
from pru_demo.runs.recorder import Recorder
from pru_demo.runs.setting import planned_epochs, setting_of
from pru_demo.training_settings import original_setting
from pru_demo.unlearning import METHODS
from pru_demo.unlearning.parameters import Params, as_json
from pru_demo.unlearning.step import Step

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class RunResult:
    """The record, and what is kept beside it: see ``weights_key`` and ``features_key``."""

    record: RunRecord
    weights: dict[str, Tensor]
    features: np.ndarray


def execute(
    config: RunConfig,
    kept_originals: Path,
    report: Report = lambda _: None,
    beat: Callable[[], None] = lambda: None,
) -> RunResult:
    """Run ``config`` from the original to the last epoch of relearning.

    ``report`` receives one dictionary per snapshot (``{"snapshot": …, "done": …, "of": …}``) and
    per epoch of an original that must be trained first; ``beat`` is called once per batch and may
    raise to stop.

    Raises what reading data and checkpoints raises. A method that breaks down ends in a record
    with ``failure`` set, not in an exception.
    """
    with listening(beat):
        return _execute(config, kept_originals, report)


def _execute(config: RunConfig, kept: Path, report: Report) -> RunResult:
    started = time.perf_counter()
    scenario, setting = config.scenario, setting_of(config)
    material = gather(scenario)
    original = obtain_original(
        scenario, kept, lambda epoch: report({"training_original": epoch.epoch})
    )
    device = material.test.images.device
    recorder = Recorder(config, material.test)
    seconds = {"relearn": 0.0}
    steps = METHODS[config.pick.method].steps_per_epoch * planned_epochs(config)
    done, total = 0, 1 + steps + RELEARNING_EPOCHS

    def clock() -> float:
        """Seconds without those spent on measuring, which are not the method's."""
        return time.perf_counter() - recorder.measuring

    def tell(snapshot: Snapshot) -> None:
        nonlocal done
        done += 1
        report({"snapshot": {**vars(snapshot), "label": snapshot.label}, "done": done, "of": total})

    tell(recorder.snapshot(original, "original", 0))
    model, cost = original, 0
    begin = clock()
    for step in unlearn(config.pick.method, original, material, setting.params):
        model, cost = step.model, step.forward_equivalents
        tell(recorder.snapshot(model, "unlearn", step.epoch, step.phase, step.losses))
        if recorder.diverged:
            break
    # A constant answer half-way may pass, as it does when training starts; at the end it counts.
    recorder.failure = recorder.problem()
    seconds["unlearn"] = clock() - begin
    recorder.keep_weights(model, 0)

    if recorder.failure is None:
        recorder.control(batch_norm_only(model, material.relearn, seed=scenario.seed))
        decay = original_setting(scenario.dataset, scenario.model).params.weight_decay
        begin = clock()
        for epoch in relearn(model, material.relearn, seed=scenario.seed, weight_decay=decay):
            losses = {"cross-entropy": epoch.loss}
            tell(recorder.snapshot(epoch.model, "relearn", epoch.epoch, losses=losses))
            recorder.keep_weights(epoch.model, epoch.epoch)
        seconds["relearn"] = clock() - begin
    seconds["total"] = time.perf_counter() - started

    record = recorder.record(
        setting.origin,
        dict(as_json(setting.params)),
        seconds,
        {
            "forget": len(material.forget),
            "relearn": len(material.relearn),
            "test": len(material.test.images),
            "peak_bytes": peak_bytes(device),
        },
        cost,
        {
            "device": describe(device),
            "torch": torch.__version__,
            "precision": "float32",
            "made": time.strftime("%Y-%m-%d"),
        },
    )
    return RunResult(record, recorder.weights, recorder.features())


def unlearn(name: str, original: SplitModel, material: Material, params: Params) -> Iterator[Step]:
    """Start the registered method ``name``; only one that needs it is handed D_r."""
    method = METHODS[name]
    run = function_of(method.entry)
    if method.needs_retain:
        return run(original, material.forget, material.retain(), params)  # type: ignore[no-any-return]
    return run(original, material.forget, params)  # type: ignore[no-any-return]
