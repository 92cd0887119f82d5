"""The small network that bends the PCA plane: parametric UMAP (Sainburg et al. 2021).

Positions are a function of the features and of nothing else. That is why points come back when
their features come back, which per-point optimisation (umap-learn, t-SNE) does not give. The
network is used in numpy, by a process that has no torch, and trained in plain torch.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from pru_demo.projection.graph import TemporalGraph

if TYPE_CHECKING:
    from torch import Tensor

Layers = tuple[tuple[np.ndarray, np.ndarray], ...]  # ((in, out) weight, (out,) bias) per layer
HIDDEN = (64, 64, 64)
# The first layer begins this much wider than torch's: neighbours differ by little.
FINER = 2

# Each sample is pushed away from this many others of its snapshot, drawn anew in every step.
STRANGERS = 5
# How much it counts that a step's length on the map is not that in feature space, and how much
# longer it is to be. Chosen on real runs: more gains movement and costs neighbourhoods.
MOVEMENT_WEIGHT, STRETCH = 0.05, 1.5
PEAK_LEARNING_RATE = 1.5e-2
# Of Adam's averages: a step sees one pair of snapshots, so its gradient is noisy.
BETAS = (0.9, 0.98)


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


def train_layers(
    points: np.ndarray,
    plane: np.ndarray,
    graph: TemporalGraph,
    layers: Layers,
    *,
    unit: float,
    scale: float,
    seed: int,
    steps: int,
    report: Callable[[float], None],
) -> Layers:
    """Train ``layers`` so that f(x) = plane(x) + ``unit`` * MLP(x) draws connected points together.

    ``points`` (S, n, k) are the inputs, ``plane`` (S, n, 2) is where they start. Each of the
    ``steps`` steps takes two snapshots that follow each other, all edges inside them and between
    them, and strangers *of the same snapshot*, under the Cauchy kernel 1 / (1 + d²) of t-SNE and
    UMAP. ``scale`` turns a length in ``points`` into one on the plane; what a sample's step lacks
    of that, or has too much, is punished by its square. ``report`` gets the share done, in (0, 1],
    once per step. Equal arguments give equal layers on one machine.
    """
    import torch

    generator = np.random.default_rng(seed)
    samples = points.shape[1]
    x, start = torch.from_numpy(points), torch.from_numpy(plane)
    inside = [tuple(map(_tensor, (e.head, e.tail, e.weight))) for e in graph.inside]
    between = [(_tensor(s.weight), STRETCH * scale * _tensor(s.length)) for s in graph.steps]
    trained = [
        (torch.tensor(weight, requires_grad=True), torch.tensor(bias, requires_grad=True))
        for weight, bias in layers
    ]

    def place(snapshot: int) -> "Tensor":
        hidden = x[snapshot]
        for weight, bias in trained[:-1]:
            hidden = torch.relu(torch.addmm(bias, hidden, weight))
        weight, bias = trained[-1]
        return start[snapshot] + unit * torch.addmm(bias, hidden, weight)

    # `index_select`, whose gradient takes two thirds of the time of that of y[head]
    def pull(snapshot: int, y: "Tensor") -> tuple["Tensor", "Tensor"]:
        head, tail, weight = inside[snapshot]
        apart = y.index_select(0, head) - y.index_select(0, tail)
        return weight * torch.log1p(_squared(apart)), weight

    def push(y: "Tensor") -> "Tensor":
        strangers = torch.from_numpy(generator.integers(0, samples, STRANGERS * samples))
        apart = y.repeat(STRANGERS, 1) - y.index_select(0, strangers)
        together = 1 / (1 + _squared(apart))
        return -torch.log(1 - together + 1e-3).mean()

    optimizer = torch.optim.AdamW([tensor for layer in trained for tensor in layer], betas=BETAS)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK_LEARNING_RATE, steps, base_momentum=0.85, max_momentum=BETAS[0]
    )
    order: list[int] = []
    with _one_thread():
        for step in range(steps):
            order = order or list(generator.permutation(len(graph.steps)))
            pair = order.pop()
            before, after = graph.steps[pair].before, graph.steps[pair].after
            y, z = place(before), place(after)
            tie, length = between[pair]
            moved = _squared(z - y)
            terms = [pull(before, y), pull(after, z), (tie * torch.log1p(moved), tie)]
            attraction = sum(t.sum() for t, _ in terms) / sum(w.sum() for _, w in terms)
            # 1e-9: the root's gradient is infinite at zero
            strain = ((moved + 1e-9).sqrt() - length).square().mean()
            repulsion = (push(y) + push(z)) / 2
            optimizer.zero_grad()
            torch.autograd.backward(attraction + repulsion + MOVEMENT_WEIGHT * strain)
            optimizer.step()
            schedule.step()
            report((step + 1) / steps)
    return tuple((weight.detach().numpy(), bias.detach().numpy()) for weight, bias in trained)


def _tensor(values: np.ndarray) -> "Tensor":
    import torch

    kind = np.float32 if values.dtype.kind == "f" else np.int64
    return torch.from_numpy(np.ascontiguousarray(values, kind))


def _squared(differences: "Tensor") -> "Tensor":
    return differences.square().sum(dim=1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one torch thread: on these small products two are five times slower than one."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
