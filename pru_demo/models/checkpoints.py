"""Weights on disk: safetensors with a JSON note on how they were made. Never pickles."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from pru_demo.files import replace_file

Weights = dict[str, Tensor]


class DamagedCheckpoint(ValueError):
    """A checkpoint is unreadable or of another network; the message says what to do."""


def halved(weights: Weights) -> Weights:
    """Matrices and kernels in half precision; biases and BatchNorm, small and touchy, as they are.

    Tensors come back on the CPU, detached from the model.
    """
    return {
        name: (tensor.half() if tensor.ndim > 1 else tensor).detach().cpu().contiguous().clone()
        for name, tensor in weights.items()
    }


def save_checkpoint(path: Path, weights: Weights, note: dict[str, Any]) -> None:
    """Write ``weights`` and ``note`` so that a reader sees the old file or the new, never half."""
    replace_file(path, save(weights, metadata={"note": json.dumps(note, sort_keys=True)}))


def read_checkpoint(path: Path, repair: str) -> tuple[Weights, dict[str, Any]]:
    """Weights (CPU) and note of a checkpoint.

    Raises :class:`DamagedCheckpoint`, ending in the sentence ``repair``, when it cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return weights, json.loads((file.metadata() or {}).get("note", "{}"))
    except (OSError, SafetensorError, ValueError) as error:
        raise DamagedCheckpoint(f"Checkpoint {path.name} cannot be read. {repair}") from error


def load_weights(model: nn.Module, weights: Weights, name: str, repair: str) -> None:
    """Copy ``weights`` into ``model``, converting to its precision.

    Raises :class:`DamagedCheckpoint` when names or shapes are not those of ``model``.
    """
    try:
        with torch.no_grad():
            model.load_state_dict(weights)
    except RuntimeError as error:
        raise DamagedCheckpoint(f"{name} does not fit this network. {repair}") from error
