"""All that a training needs to go on as if it had never stopped: weights and momentum."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

State = Mapping[str, Tensor]

_WEIGHT, _VELOCITY = "w.", "v."


class ForeignState(ValueError):
    """What was to be gone on from belongs to something else, or to another version of it."""


def training_state(model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> State:
    """Weights and buffers of ``model`` and, if its optimiser lives on, its momentum.

    The tensors are the live ones: write them down before the training goes on.
    """
    state = {_WEIGHT + name: tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        # What a network does not use has no gradient and no momentum.
        memory = {} if optimizer is None else optimizer.state.get(parameter, {})
        if (velocity := memory.get("momentum_buffer")) is not None:
            state[_VELOCITY + name] = velocity
    return state


def restore_training(
    state: State, model: nn.Module, optimizer: torch.optim.Optimizer | None = None
) -> None:
    """The inverse of :func:`training_state`, into a model that is built already.

    Raises ForeignState when the state is that of another network.
    """
    weights = {name[2:]: tensor for name, tensor in state.items() if name.startswith(_WEIGHT)}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ForeignState("the weights are those of another network") from error
    for name, parameter in model.named_parameters():
        velocity = state.get(_VELOCITY + name)
        if optimizer is not None and velocity is not None:
            if velocity.shape != parameter.shape:
                raise ForeignState(f"the momentum of {name} is that of another network")
            memory = optimizer.state[parameter]
            memory["momentum_buffer"] = velocity.to(parameter.device, copy=True)
