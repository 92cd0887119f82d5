"""Which parameters a run has, and how many epochs that makes. No torch: pages ask too."""

from dataclasses import replace

from pru_demo.config import PRESETS, RunConfig
from pru_demo.unlearning import METHODS
from pru_demo.unlearning.parameters import NoParams
from pru_demo.unlearning.values import Setting


def setting_of(config: RunConfig) -> Setting:
    """Parameters of the picked variant, with no more epochs than the preset allows."""
    scenario, preset = config.scenario, PRESETS[config.scenario.preset]
    variants = METHODS[config.pick.method].values.of(
        scenario.dataset, scenario.model, scenario.given
    )
    setting = variants[config.pick.variant]
    params = setting.params
    limit = preset.retrain_epochs if config.pick.method == "retrain" else preset.epochs
    if limit is not None and not isinstance(params, NoParams):
        setting = replace(setting, params=replace(params, epochs=min(params.epochs, limit)))
    return setting


def planned_epochs(config: RunConfig) -> int:
    """For how many epochs the method of ``config`` unlearns; 0 for the original."""
    epochs: int = getattr(setting_of(config).params, "epochs", 0)
    return epochs
