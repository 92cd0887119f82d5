"""Collects the snapshots of a run while it happens and makes the record of them."""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pru_demo.config import RunConfig
from pru_demo.evaluation.observe import Observation, TestSet, observe
from pru_demo.experiment.record import (
    KEPT_EPOCHS,
    RunRecord,
    Snapshot,
    Stage,
    control_arrays,
    record_arrays,
    unlearned_at,
)
from pru_demo.models.checkpoints import halved
from pru_demo.models.split import SplitModel
from pru_demo.training import ForeignState

_WEIGHTS, _CONTROL = "weights/", "control/"
# What an observation is made of, in this order.
_PARTS = ("confusion", "features", "probabilities")


class Recorder:
    """Observes networks of one run. ``measuring`` sums the seconds spent on that."""

    def __init__(self, config: RunConfig, test: TestSet) -> None:
        self._config = config
        self._test = test
        self._snapshots: list[Snapshot] = []
        self._observations: list[Observation] = []
        self.weights: dict[str, Tensor] = {}
        self.measuring = 0.0
        self._control: Observation | None = None
        self.failure: str | None = None

    @property
    def snapshots(self) -> list[Snapshot]:
        """All snapshots so far."""
        return list(self._snapshots)

    def written(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """All that was recorded, as JSON and arrays, for :meth:`restore`."""
        seen = self._observations
        arrays: dict[str, NDArray[Any]] = {
            name: np.stack([getattr(each, name) for each in seen]) for name in _PARTS
        }
        # For who looks on meanwhile; they are not restored.
        arrays |= {"shown": self._test.published, "labels": self._labels()}
        if self._control is not None:
            arrays |= {_CONTROL + name: getattr(self._control, name) for name in _PARTS}
        arrays |= {_WEIGHTS + name: tensor.numpy() for name, tensor in self.weights.items()}
        return {
            "snapshots": [asdict(snapshot) for snapshot in self._snapshots],
            "failure": self.failure,
        }, arrays

    def restore(self, recorded: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what an earlier attempt has :meth:`written`. Raises ForeignState."""
        try:
            self._snapshots = [Snapshot(**each) for each in recorded["snapshots"]]
            self.failure = recorded["failure"]
            stacks = (arrays[name] for name in _PARTS)
            self._observations = [
                Observation(*each) for _, *each in zip(self._snapshots, *stacks, strict=True)
            ]
            if _CONTROL + _PARTS[0] in arrays:
                self._control = Observation(*(arrays[_CONTROL + name] for name in _PARTS))
        except (KeyError, TypeError, ValueError) as error:
            raise ForeignState("it holds other things than a recorder writes") from error
        self.weights = {
            name.removeprefix(_WEIGHTS): torch.from_numpy(np.array(array))
            for name, array in arrays.items()
            if name.startswith(_WEIGHTS)
        }

    def snapshot(
        self,
        model: SplitModel,
        stage: Stage,
        epoch: int,
        phase: str = "all",
        losses: dict[str, float] | None = None,
    ) -> Snapshot:
        """Measure ``model`` and remember it as the next snapshot."""
        seen = self._observe(model)
        a_f, a_r = seen.accuracies(self._config.scenario.forget)
        # JSON has no NaN: the losses of a network that broke down are left out, like those that
        # were not computed.
        finite = {name: loss for name, loss in (losses or {}).items() if math.isfinite(loss)}
        snapshot = Snapshot(stage, epoch, phase, a_f, a_r, finite)
        self._snapshots.append(snapshot)
        self._observations.append(seen)
        return snapshot

    def control(self, model: SplitModel) -> None:
        """Measure the network of the BatchNorm-only control."""
        self._control = self._observe(model)

    def keep_weights(self, model: SplitModel, epoch: int) -> None:
        """Keep the weights after ``epoch`` of relearning if pages can ask for them."""
        if epoch in KEPT_EPOCHS:
            for name, tensor in halved(model.state_dict()).items():
                self.weights[f"{epoch}/{name}"] = tensor

    @property
    def diverged(self) -> bool:
        """Whether the last observed network answers with numbers no longer."""
        return self._observations[-1].diverged

    def problem(self) -> str | None:
        """Why the last observed network is broken, or None."""
        return self._observations[-1].problem()

    def features(self) -> dict[str, NDArray[Any]]:
        """Features of the shown samples, float16: ``features`` (T, n, d) at every snapshot and
        ``control`` (n, d) of the BatchNorm-only control, if there was one."""
        found = {"features": np.stack([seen.features for seen in self._observations])}
        return found if self._control is None else found | {"control": self._control.features}

    def first_features(self) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
        """Features (n, d) of the shown samples at the first snapshot, and which are forgotten."""
        forgotten = np.isin(self._labels(), list(self._config.scenario.forget))
        return self._observations[0].features, forgotten

    def record(
        self,
        origin: str,
        params: dict[str, Any],
        seconds: dict[str, float],
        sizes: dict[str, int],
        forward_equivalents: int,
        made_with: dict[str, str],
    ) -> RunRecord:
        """The finished record."""
        forget = list(self._config.scenario.forget)
        arrays = record_arrays(
            self._test.published,
            self._labels(),
            np.stack([seen.probabilities for seen in self._observations]),
            np.stack([seen.confusion for seen in self._observations]),
            forget=forget,
            unlearned=unlearned_at(self._snapshots),
        )
        control, accuracies = self._control, None
        if control is not None:
            accuracies = dict(zip(("A_f", "A_r"), control.accuracies(forget), strict=True))
            arrays |= control_arrays(control.probabilities, forget)
        return RunRecord(
            config=self._config,
            params=params,
            origin=origin,
            snapshots=tuple(self._snapshots),
            batch_norm_only=accuracies,
            failure=self.failure,
            seconds=seconds,
            sizes=sizes,
            forward_equivalents=forward_equivalents,
            made_with=made_with,
            arrays=arrays,
        )

    def _labels(self) -> NDArray[np.uint8]:
        labels: NDArray[np.uint8] = self._test.labels[self._test.shown].cpu().numpy()
        return labels

    def _observe(self, model: SplitModel) -> Observation:
        started = time.perf_counter()
        try:
            return observe(model, self._test)
        finally:
            self.measuring += time.perf_counter() - started
