"""The small network that bends the PCA plane, in numpy, for a process that has no torch."""

import numpy as np

Layers = tuple[tuple[np.ndarray, np.ndarray], ...]  # ((in, out) weight, (out,) bias) per layer
HIDDEN = (64, 64, 64)
# The first layer begins this much wider than torch's: neighbours differ by little.
FINER = 2


def initial_layers(inputs: int, seed: int) -> Layers:
    """Random layers ``inputs``-64-64-64-2 of which the last is zero, so that the output is zero.

    Uniform in ±1/sqrt(inputs of the layer), as torch.nn.Linear, twice that in the first layer; from
    numpy's generator, so that torch's global random state is neither used nor touched.
    """
    generator = np.random.default_rng(seed)
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    for width in HIDDEN:
        bound = inputs**-0.5
        reach = bound if layers else FINER * bound
        weight = generator.uniform(-reach, reach, (inputs, width)).astype(np.float32)
        layers.append((weight, generator.uniform(-bound, bound, width).astype(np.float32)))
        inputs = width
    layers.append((np.zeros((inputs, 2), np.float32), np.zeros(2, np.float32)))
    return tuple(layers)


def forward(layers: Layers, inputs: np.ndarray) -> np.ndarray:
    """(n, k) to (n, 2), ReLU between the layers."""
    *hidden, (weight, bias) = layers
    for hidden_weight, hidden_bias in hidden:
        inputs = np.maximum(inputs @ hidden_weight + hidden_bias, 0)
    return np.asarray(inputs @ weight + bias)
