"""Which parameters a run has, and how many epochs that makes. No torch: pages ask too."""

from dataclasses import replace
from typing import Any

from pru_demo.config import PRESETS, RunConfig, Scenario
from pru_demo.relearning_settings import SETTINGS
from pru_demo.training_settings import TrainingParams, original_setting
from pru_demo.unlearning import METHODS
from pru_demo.unlearning.parameters import NoParams
from pru_demo.unlearning.values import Setting


def setting_of(config: RunConfig) -> Setting:
    """Parameters of the picked variant, within the limits of preset and scenario."""
    scenario, preset = config.scenario, PRESETS[config.scenario.preset]
    variants = METHODS[config.pick.method].values.of(
        scenario.dataset, scenario.model, scenario.given
    )
    setting = variants[config.pick.variant]
    if isinstance(setting.params, NoParams):
        return setting
    limits = {
        "epochs": preset.retrain_epochs if config.pick.method == "retrain" else preset.epochs,
        "batch_size": scenario.max_batch,
    }
    params: Any = setting.params
    lowered = {
        name: min(getattr(params, name), limit)
        for name, limit in limits.items()
        if limit is not None and hasattr(params, name)
    }
    return replace(setting, params=replace(params, **lowered))


def relearning_of(scenario: Scenario) -> TrainingParams:
    """How ``scenario`` relearns: with the weight decay of its original's training."""
    decay = original_setting(scenario.dataset, scenario.model).params.weight_decay
    batch_size = min(SETTINGS.batch_size, scenario.max_batch or SETTINGS.batch_size)
    return replace(
        SETTINGS, epochs=scenario.relearn_epochs, weight_decay=decay, batch_size=batch_size
    )


def planned_epochs(config: RunConfig) -> int:
    """For how many epochs the method of ``config`` unlearns; 0 for the original."""
    epochs: int = getattr(setting_of(config).params, "epochs", 0)
    return epochs
