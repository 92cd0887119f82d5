"""From a RunConfig to a RunRecord: unlearn, relearn, look at the network after every half epoch.

Used by the engine's workers, and through them by the pages and the command line.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pru_demo.config import RunConfig, planned_epochs, relearning_of, setting_of
from pru_demo.device import describe, peak_bytes
from pru_demo.evaluation.observe import Observation, observe
from pru_demo.evaluation.relearning import batch_norm_only, relearn
from pru_demo.experiment.attacked import attacks_on
from pru_demo.experiment.checkpoint import Checkpoint, Checkpoints, ResumableStage
from pru_demo.experiment.material import Material, gather
from pru_demo.experiment.originals import obtain_original
from pru_demo.experiment.record import KEPT_EPOCHS, RunRecord, RunResult, Snapshot, Stage
from pru_demo.methods import METHODS
from pru_demo.methods.step import Resume, Step
from pru_demo.models.checkpoints import halved
from pru_demo.models.split import SplitModel, has_batch_norm
from pru_demo.parameters import Params, as_json
from pru_demo.training import ForeignState, State, restore_training, training_state

Report = Callable[[dict[str, Any]], None]
OnOriginal = Callable[[NDArray[Any], NDArray[np.bool_]], None]

_log = logging.getLogger(__name__)


def execute(
    config: RunConfig,
    kept_originals: Path,
    report: Report = lambda _: None,
    checkpoints: Checkpoints | None = None,
    on_original: OnOriginal = lambda features, forgotten: None,
) -> RunResult:
    """Run ``config`` from the original, or from where ``checkpoints`` say, to the last epoch.

    ``report`` receives one dictionary per snapshot (``{"snapshot": …, "done": …, "of": …}``) and
    per epoch of an original that must be trained first. Before the method begins ``on_original``
    gets the shown samples' features (n, d) under the original, and which (n,) are to be forgotten.

    Raises what reading data and checkpoints raises, and what a listener to the heartbeat does. A
    method that breaks down ends in a record with ``failure`` set, not in an exception.
    """
    given = (config, kept_originals, report, checkpoints, on_original)
    try:
        return _unlearn_and_relearn(*given)
    except ForeignState as error:
        if checkpoints is None:
            raise
        # Another version of the program may have left it. There is none the second time.
        _log.warning("A run cannot go on from its checkpoint (%s); it starts over.", error)
        checkpoints.start_over()
        return _unlearn_and_relearn(*given)


def _unlearn_and_relearn(
    config: RunConfig,
    kept_originals: Path,
    report: Report,
    checkpoints: Checkpoints | None,
    on_original: OnOriginal,
) -> RunResult:
    """The whole way. Raises ForeignState if what ``checkpoints`` hold is not of this run."""
    watch, scenario, method = Stopwatch(), config.scenario, config.pick.method
    params, relearning = setting_of(config).params, relearning_of(scenario)
    epochs = planned_epochs(config)
    moments = 1 + METHODS[method].steps_per_epoch * epochs + relearning.epochs
    material = gather(scenario)
    original = obtain_original(
        scenario, kept_originals, lambda epoch: report({"training_original": epoch.epoch})
    )
    run = RunResult(_empty_record(config, material))

    def tell(snapshot: Snapshot, done: int) -> None:
        told = {**vars(snapshot), "label": snapshot.label}
        report({"snapshot": told, "done": done, "of": moments})

    def look(
        model: SplitModel,
        stage: Stage,
        epoch: int,
        phase: str = "all",
        losses: Mapping[str, float] | None = None,
    ) -> Observation:
        seen = observe(model, material.test)
        # JSON has no NaN: the losses of a network that broke down are left out, like those that
        # were not computed.
        finite = {name: loss for name, loss in (losses or {}).items() if math.isfinite(loss)}
        snapshot = Snapshot(stage, epoch, phase, *seen.accuracies(scenario.forget), finite)
        run.add(snapshot, seen)
        tell(snapshot, len(run.record.snapshots))
        return seen

    def save(stage: ResumableStage, epoch: int, state: State) -> None:
        run.record = replace(run.record, seconds=watch.seconds())
        arrays = {name: each.detach().cpu().contiguous().numpy() for name, each in state.items()}
        if checkpoints is not None:
            checkpoints.save(Checkpoint(stage, epoch, arrays, run))

    def keep_weights(epoch: int, model: SplitModel) -> None:
        if epoch in KEPT_EPOCHS:
            weights = halved(model.state_dict())
            run.weights |= {f"{epoch}/{name}": each.numpy() for name, each in weights.items()}

    start = None if checkpoints is None else checkpoints.load()
    state: dict[str, torch.Tensor] = {}
    if start is None:
        seen = look(original, "original", 0)
        on_original(run.features["features"][0], run.record.forgotten)
    else:
        _insist_on(start, run.record)
        run = start.result
        state = {name: torch.from_numpy(each.copy()) for name, each in start.state.items()}
        watch.go_on(run.record.seconds)
        after = f"epoch {start.epoch} of {start.stage}ing" if start.epoch else "unlearning"
        report({"message": f"Going on after {after}"})
        for done, snapshot in enumerate(run.record.snapshots, 1):
            tell(snapshot, done)

    if start is None or start.stage == "unlearn":
        model, resume = original, Resume(start.epoch, state) if start else None
        if start and start.epoch >= epochs:
            raise ForeignState("there is no epoch left to unlearn in")
        watch.lap()
        for step in unlearn(method, original, material, params, resume):
            watch.lap("unlearn")
            model = step.model
            run.record = replace(
                run.record, forward_equivalents=step.forward_equivalents, note=step.note
            )
            seen = look(model, "unlearn", step.epoch, step.phase, step.losses)
            if seen.diverged:
                break
            # The last epoch is saved with what follows from it, which needs its network.
            if step.state is not None and step.epoch < epochs:
                save("unlearn", step.epoch, step.state)
            watch.lap()
        keep_weights(0, model)
        # A constant answer half-way may pass, as it does when training starts; at the end it
        # counts.
        run.record = replace(run.record, failure=seen.problem())
        if run.record.failure is None:
            # Without BatchNorm the control would be the unlearned network once more.
            if has_batch_norm(model):
                control = batch_norm_only(
                    model, material.relearn, seed=scenario.seed, settings=relearning
                )
                run.add_control(observe(control, material.test))
            save("relearn", 0, training_state(model))
        done_epochs = 0
    else:
        model, done_epochs = deepcopy(original), start.epoch
        restore_training(state, model)

    if not done_epochs:
        run.record = replace(run.record, attacks=attacks_on(model, material))
    if run.record.failure is None:
        watch.lap()
        for relearned in relearn(
            model,
            material.relearn,
            seed=scenario.seed,
            settings=relearning,
            done_epochs=done_epochs,
        ):
            watch.lap("relearn")
            model, epoch = relearned.model, relearned.epoch
            look(model, "relearn", epoch, losses={"cross-entropy": relearned.loss})
            keep_weights(epoch, model)
            if epoch < relearning.epochs:
                save("relearn", epoch, training_state(model))
            watch.lap()

    device = material.test.images.device
    run.record = replace(
        run.record,
        seconds=watch.seconds(),
        sizes={**run.record.sizes, "peak_bytes": peak_bytes(device)},
        made_with={
            "device": describe(device),
            "torch": torch.__version__,
            "precision": "float32",
            "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        },
    )
    return run


def _empty_record(config: RunConfig, material: Material) -> RunRecord:
    setting, test = setting_of(config), material.test
    return RunRecord(
        config=config,
        params=as_json(setting.params),
        origin=setting.origin,
        snapshots=(),
        batch_norm_only=None,
        failure=None,
        seconds={},
        sizes={
            "forget": len(material.forget),
            "relearn": len(material.relearn),
            "test": len(test.images),
        },
        forward_equivalents=0,
        made_with={},
        arrays={"shown": test.published, "labels": test.labels[test.shown].cpu().numpy()},
    )


def _insist_on(start: Checkpoint, empty: RunRecord) -> None:
    """Raise ForeignState if ``start`` is not of the run that begins with the record ``empty``.

    Its key says what was asked for; what was found for that may have changed, as data can.
    """
    seen = start.result.record
    same = all(np.array_equal(seen.arrays[name], array) for name, array in empty.arrays.items())
    if not same or (seen.params, seen.sizes) != (empty.params, empty.sizes):
        raise ForeignState("it is of a run with other parameters or other data")


def unlearn(
    name: str,
    original: SplitModel,
    material: Material,
    params: Params,
    resume: Resume | None = None,
) -> Iterator[Step]:
    """Start the registered method ``name`` on the data of a scenario."""
    return METHODS[name].start(original, material.forget, material.retain, params, resume)


class Stopwatch:
    """Times the stages of a run, all its attempts together, from the moment it is made."""

    def __init__(self) -> None:
        self._started = self._lap = time.perf_counter()
        self._sums = {"unlearn": 0.0, "relearn": 0.0, "total": 0.0}

    def go_on(self, earlier: Mapping[str, float]) -> None:
        """Add what earlier attempts took."""
        self._sums = {stage: taken + earlier[stage] for stage, taken in self._sums.items()}

    def lap(self, stage: ResumableStage | None = None) -> None:
        """Count the time since the last lap for ``stage``, or for none: looking and saving."""
        now = time.perf_counter()
        if stage is not None:
            self._sums[stage] += now - self._lap
        self._lap = now

    def seconds(self) -> dict[str, float]:
        """So far, by stage and in total."""
        return {**self._sums, "total": self._sums["total"] + time.perf_counter() - self._started}
