"""From a RunConfig to a RunRecord: unlearn, relearn, measure after every half epoch.

Used by the pages (in the engine's workers), by the command line and by the parameter search.

How long the stages of a run take, all its attempts together.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from pru_demo.config import RunConfig, planned_epochs, relearning_of, setting_of
from pru_demo.device import describe, peak_bytes
from pru_demo.evaluation.relearning import batch_norm_only, relearn
from pru_demo.experiment.checkpoint import Checkpoint, Checkpoints, NoCheckpoints, Stage
from pru_demo.experiment.material import Material, gather
from pru_demo.experiment.originals import obtain_original
from pru_demo.experiment.record import RunRecord, Snapshot
from pru_demo.experiment.recorder import Recorder
from pru_demo.heartbeat import listening
from pru_demo.methods import METHODS
from pru_demo.methods.step import Resume, Step
from pru_demo.models import function_of
from pru_demo.models.split import SplitModel, has_batch_norm
from pru_demo.parameters import Params, as_json
from pru_demo.training import ForeignState, State, restore_training, training_state

Report = Callable[[dict[str, Any]], None]
OnOriginal = Callable[[NDArray[Any], NDArray[Any]], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunResult:
    """The record, and what is kept beside it: see ``weights_key`` and ``features_key``."""

    record: RunRecord
    weights: dict[str, Tensor]
    features: dict[str, NDArray[Any]]


def execute(
    config: RunConfig,
    kept_originals: Path,
    report: Report = lambda _: None,
    beat: Callable[[], None] = lambda: None,
    checkpoints: Checkpoints | None = None,
    on_original: OnOriginal = lambda features, forgotten: None,
) -> RunResult:
    """Run ``config`` from the original, or from where ``checkpoints`` say, to the last epoch.

    ``report`` receives one dictionary per snapshot (``{"snapshot": …, "done": …, "of": …}``) and
    per epoch of an original that must be trained first; ``beat`` is called once per batch and may
    raise to stop. ``on_original`` gets the shown samples' features (n, d) under the original, and
    which (n,) are to be forgotten, before the method begins.

    Raises what reading data and checkpoints raises. A method that breaks down ends in a record
    with ``failure`` set, not in an exception.
    """
    known = checkpoints or NoCheckpoints()
    with listening(beat):
        try:
            return _Run(config, kept_originals, report, known, on_original).result()
        except ForeignState as error:
            # Another version of the program may have left it. There is none the second time.
            _log.warning("A run cannot go on from its checkpoint (%s); it starts over.", error)
            known.start_over()
            return _Run(config, kept_originals, report, known, on_original).result()


class _Run:
    """One execution: the parts of the way, and what they share."""

    def __init__(
        self,
        config: RunConfig,
        kept: Path,
        report: Report,
        checkpoints: Checkpoints,
        on_original: OnOriginal,
    ) -> None:
        self._watch = Stopwatch()
        self._config = config
        self._setting = setting_of(config)
        self._report = report
        self._checkpoints = checkpoints
        self._on_original = on_original
        self._material = gather(config.scenario)
        self._original = obtain_original(
            config.scenario, kept, lambda epoch: report({"training_original": epoch.epoch})
        )
        self._recorder = Recorder(config, self._material.test)
        self._sizes = {
            "forget": len(self._material.forget),
            "relearn": len(self._material.relearn),
            "test": len(self._material.test.images),
        }
        self._params = dict(as_json(self._setting.params))
        self._cost = 0
        steps = METHODS[config.pick.method].steps_per_epoch * planned_epochs(config)
        self._done, self._of = 0, 1 + steps + config.scenario.relearn_epochs

    def result(self) -> RunResult:
        """Do what is not done yet."""
        found, done_epochs = self._checkpoints.load(), 0
        if found is None:
            self._tell(self._recorder.snapshot(self._original, "original", 0))
            self._on_original(*self._recorder.first_features())
            model = self._unlearn(None)
        elif found.stage == "unlearn":
            self._restore(found)
            model = self._unlearn(Resume(found.epoch, found.state))
        else:
            model, done_epochs = deepcopy(self._original), found.epoch
            restore_training(found.state, model)
            self._restore(found)
        if self._recorder.failure is None:
            self._relearn(model, done_epochs)
        return RunResult(self._record(), self._recorder.weights, self._recorder.features())

    def _restore(self, found: Checkpoint) -> None:
        """Take over what ``found`` has recorded, and tell it. Raises ForeignState."""
        if found.made_for != self._made_for():
            raise ForeignState("it is of a run with other parameters or other data")
        self._recorder.restore(found.recorded, found.arrays)
        self._watch.go_on(found.seconds)
        self._cost = found.cost
        stage = "unlearning" if found.stage == "unlearn" else "relearning"
        after = f"epoch {found.epoch} of {stage}" if found.epoch else "unlearning"
        self._report({"message": f"Going on after {after}"})
        for snapshot in self._recorder.snapshots:
            self._tell(snapshot)

    def _made_for(self) -> dict[str, Any]:
        """What the record will say of all its epochs, so that it must hold for all of them."""
        return {**self._params, **self._sizes, "shown": len(self._material.test.shown)}

    def _unlearn(self, resume: Resume | None) -> SplitModel:
        """Run the method to its end; returns the unlearned network."""
        recorder, model = self._recorder, self._original
        self._count()
        for step in unlearn(
            self._config.pick.method, self._original, self._material, self._setting.params, resume
        ):
            model, self._cost = step.model, step.forward_equivalents
            self._tell(recorder.snapshot(model, "unlearn", step.epoch, step.phase, step.losses))
            self._count("unlearn")
            if recorder.diverged:
                break
            if step.state is not None:
                self._save("unlearn", step.epoch, step.state)
                self._count()
        # A constant answer half-way may pass, as it does when training starts; at the end it
        # counts.
        recorder.failure = recorder.problem()
        recorder.keep_weights(model, 0)
        if recorder.failure is None:
            # Without BatchNorm the control would be the unlearned network once more.
            if has_batch_norm(model):
                self._control(model)
            self._save("relearn", 0, training_state(model))
        return model

    def _control(self, model: SplitModel) -> None:
        scenario, data = self._config.scenario, self._material.relearn
        settings = relearning_of(scenario)
        self._recorder.control(batch_norm_only(model, data, seed=scenario.seed, settings=settings))

    def _relearn(self, model: SplitModel, done_epochs: int) -> None:
        scenario, settings = self._config.scenario, relearning_of(self._config.scenario)
        data = self._material.relearn
        self._count()
        for done in relearn(
            model, data, seed=scenario.seed, settings=settings, done_epochs=done_epochs
        ):
            losses = {"cross-entropy": done.loss}
            self._tell(self._recorder.snapshot(done.model, "relearn", done.epoch, losses=losses))
            self._recorder.keep_weights(done.model, done.epoch)
            self._count("relearn")
            if done.epoch < settings.epochs:
                self._save("relearn", done.epoch, training_state(done.model))
                self._count()

    def _save(self, stage: Stage, epoch: int, state: State) -> None:
        recorded, arrays = self._recorder.written()
        self._checkpoints.save(
            Checkpoint(
                self._made_for(),
                stage,
                epoch,
                self._cost,
                self._watch.seconds(),
                state,
                recorded,
                arrays,
            )
        )

    def _count(self, stage: Stage | None = None) -> None:
        """Add the seconds since the last count to ``stage``, those spent on looking left out."""
        self._watch.count(stage, self._recorder.measuring)

    def _tell(self, snapshot: Snapshot) -> None:
        self._done += 1
        told = {**vars(snapshot), "label": snapshot.label}
        self._report({"snapshot": told, "done": self._done, "of": self._of})

    def _record(self) -> RunRecord:
        device = self._material.test.images.device
        made_with = {
            "device": describe(device),
            "torch": torch.__version__,
            "precision": "float32",
            "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        return self._recorder.record(
            self._setting.origin,
            self._params,
            self._watch.seconds(),
            {**self._sizes, "peak_bytes": peak_bytes(device)},
            self._cost,
            made_with,
        )


def unlearn(
    name: str,
    original: SplitModel,
    material: Material,
    params: Params,
    resume: Resume | None = None,
) -> Iterator[Step]:
    """Start the registered method ``name``; only one that needs it is handed D_r."""
    method = METHODS[name]
    given: list[object] = [
        material.forget,
        *([material.retain()] if method.needs_retain else []),
        params,
    ]
    if method.resumable:
        given.append(resume)
    return function_of(method.entry)(original, *given)  # type: ignore[no-any-return]


class Stopwatch:
    """Runs from the beginning, and adds what it measures to the seconds of earlier attempts."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._counted = 0.0
        self._sums = {"unlearn": 0.0, "relearn": 0.0, "total": 0.0}

    def go_on(self, earlier: Mapping[str, float]) -> None:
        """Add what earlier attempts took."""
        self._sums = {stage: taken + earlier[stage] for stage, taken in self._sums.items()}

    def count(self, stage: str | None, idle: float) -> None:
        """Count the time since the last call for ``stage``, or for none.

        ``idle`` is how much of all time so far counts for no stage anyway.
        """
        now = time.perf_counter() - idle
        if stage is not None:
            self._sums[stage] += now - self._counted
        self._counted = now

    def seconds(self) -> dict[str, float]:
        """So far, by stage and in total."""
        return {**self._sums, "total": self._sums["total"] + time.perf_counter() - self._started}
