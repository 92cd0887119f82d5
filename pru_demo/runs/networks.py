"""The networks of a run, from its stored weights."""

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray

from pru_demo.config import Scenario
from pru_demo.data import DATASETS
from pru_demo.models import build_model
from pru_demo.models.checkpoints import load_weights
from pru_demo.models.split import SplitModel

REPAIR = "Run it again."


def stored_network(
    scenario: Scenario, weights: Mapping[str, NDArray[Any]], epoch: int
) -> SplitModel:
    """The network of a run after ``epoch`` of relearning, in eval mode, on the CPU.

    ``weights`` are named ``epoch/parameter``, kernels in half precision. Raises
    :class:`pru_demo.models.checkpoints.DamagedCheckpoint` if they do not fit.
    """
    prefix = f"{epoch}/"
    chosen = {
        name.removeprefix(prefix): torch.from_numpy(array.copy())
        for name, array in weights.items()
        if name.startswith(prefix)
    }
    model = build_model(scenario.model, DATASETS[scenario.dataset], seed=scenario.seed)
    load_weights(model, chosen, "A stored network", REPAIR)
    return model.eval()
