"""What stored networks say of one image: for drawings, so that it must take milliseconds.

Imports torch; the web process imports this module only when the first drawing is asked about.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pru_demo.config import Scenario
from pru_demo.data import DATASETS
from pru_demo.data.dataset import as_input
from pru_demo.models import build_model
from pru_demo.models.checkpoints import load_weights
from pru_demo.models.split import SplitModel

REPAIR = "Run it again."


def network(scenario: Scenario, weights: Mapping[str, NDArray[Any]], epoch: int) -> SplitModel:
    """The network of a run after ``epoch`` of relearning, from its stored weights, in eval mode.

    ``weights`` are named ``epoch/parameter``. Raises
    :class:`pru_demo.models.checkpoints.DamagedCheckpoint` if they do not fit.
    """
    # One image cannot feed two threads; spinning ones would slow the server's other visitors.
    torch.set_num_threads(1)
    prefix = f"{epoch}/"
    chosen = {
        name.removeprefix(prefix): torch.from_numpy(array.copy())
        for name, array in weights.items()
        if name.startswith(prefix)
    }
    model = build_model(scenario.model, DATASETS[scenario.dataset], seed=scenario.seed)
    load_weights(model, chosen, "A stored network", REPAIR)
    return model.eval()


@torch.inference_mode()
def opinion(model: SplitModel, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities (K,) that ``model`` gives one grey image (H, W) uint8, white on black."""
    images = torch.from_numpy(pixels.copy())[None, None]
    probabilities: NDArray[np.float32] = model(as_input(images)).softmax(1)[0].numpy()
    return probabilities
