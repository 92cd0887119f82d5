"""The networks of a run, from its stored weights, and what one of them says of one image.

The latter is for drawings, so that it must take milliseconds. Imports torch; the web process
imports this module only when the first drawing is asked about.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pru_demo.config import Scenario
from pru_demo.data import DATASETS
from pru_demo.data.samples import as_input
from pru_demo.device import choose_device
from pru_demo.experiment.checkpoint import beginning_with
from pru_demo.models import build_model
from pru_demo.models.checkpoints import load_weights
from pru_demo.models.split import SplitModel


def stored_network(
    scenario: Scenario, weights: Mapping[str, NDArray[Any]], epoch: int
) -> SplitModel:
    """The network of a run after ``epoch`` of relearning, in eval mode, on the CPU.

    ``weights`` are named ``epoch/parameter``, kernels in half precision. Raises
    :class:`pru_demo.models.checkpoints.DamagedCheckpoint` if they do not fit.
    """
    named = beginning_with(f"{epoch}/", weights)
    chosen = {name: torch.from_numpy(array.copy()) for name, array in named.items()}
    model = build_model(scenario.model, DATASETS[scenario.dataset], seed=scenario.seed)
    load_weights(model, chosen, "A stored network", "Run it again.")
    return model.eval()


def stored_networks(
    scenario: Scenario, weights: Mapping[str, NDArray[Any]], epochs: Iterable[int]
) -> dict[int, SplitModel]:
    """Those of the networks after ``epochs`` of relearning that there are, on the chosen device."""
    there, device = {int(name.partition("/")[0]) for name in weights}, choose_device()
    return {e: stored_network(scenario, weights, e).to(device) for e in epochs if e in there}


def network(scenario: Scenario, weights: Mapping[str, NDArray[Any]], epoch: int) -> SplitModel:
    """:func:`stored_network` on a single thread."""
    # One image cannot feed two threads; spinning ones would slow the server's other visitors.
    torch.set_num_threads(1)
    return stored_network(scenario, weights, epoch)


@torch.inference_mode()
def opinion(model: SplitModel, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities (K,) that ``model`` gives one image, (H, W) grey or (3, H, W) colour, uint8."""
    probabilities: NDArray[np.float32] = model(_inputs(pixels)).softmax(1)[0].numpy()
    return probabilities


@torch.inference_mode()
def features(model: SplitModel, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the extractor of ``model`` makes of one image, (d,); ``pixels`` as for `opinion`."""
    e: NDArray[np.float32] = model.features(_inputs(pixels))[0].numpy()
    return e


def _inputs(pixels: NDArray[np.uint8]) -> Tensor:
    return as_input(torch.from_numpy(pixels.reshape(1, -1, *pixels.shape[-2:]).copy()))
