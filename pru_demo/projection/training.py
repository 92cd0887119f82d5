"""Train the network of a map: parametric UMAP (Sainburg et al. 2021) in plain torch.

Positions are a function of the features and of nothing else. That is why points come back when
their features come back, which per-point optimisation (umap-learn, t-SNE) does not give.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from pru_demo.projection.graph import Edges
from pru_demo.projection.mlp import Layers

# UMAP's curve q = 1 / (1 + a d^2b) for min_dist 0.1, spread 1
CURVE_A = 1.5769
CURVE_B = 0.8951
BATCH = 1024
NEGATIVE_WEIGHT = 5.0
PEAK_LEARNING_RATE = 1e-2


def train_layers(
    points: np.ndarray,
    plane: np.ndarray,
    edges: Edges,
    layers: Layers,
    *,
    unit: float,
    seed: int,
    steps: int,
    report: Callable[[float], None],
) -> Layers:
    """Train ``layers`` so that f(x) = plane(x) + ``unit`` * MLP(x) draws connected points together.

    ``points`` (S, n, k) are the inputs, ``plane`` (S, n, 2) is where they start. Each of the
    ``steps`` steps takes 1024 edges, drawn in proportion to their weight, and for each head one
    negative *of the same snapshot*, whose cross-entropy counts five times. ``report`` gets the
    share done, in (0, 1], once per step. Equal arguments give equal layers on one machine.
    """
    import torch
    from torch.nn.functional import silu

    generator = np.random.default_rng(seed)
    samples = points.shape[1]
    x = torch.from_numpy(points.reshape(-1, points.shape[2]))
    start = torch.from_numpy(plane.reshape(-1, 2))
    cumulative = np.cumsum(edges.weight)
    cumulative /= cumulative[-1]
    trained = [
        (torch.tensor(weight, requires_grad=True), torch.tensor(bias, requires_grad=True))
        for weight, bias in layers
    ]

    def place(rows: np.ndarray) -> torch.Tensor:
        index = torch.from_numpy(rows)
        hidden = x[index]
        for weight, bias in trained[:-1]:
            hidden = silu(hidden @ weight + bias)
        weight, bias = trained[-1]
        return start[index] + unit * (hidden @ weight + bias)

    def curve(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        # 1e-9: the power's gradient is infinite at zero
        return CURVE_A * ((a - b).square().sum(dim=1) + 1e-9) ** CURVE_B

    optimizer = torch.optim.AdamW([tensor for layer in trained for tensor in layer])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, steps)
    with _one_thread():
        for step in range(steps):
            drawn = np.searchsorted(cumulative, generator.random(BATCH), side="right")
            head, tail = edges.head[drawn], edges.tail[drawn]
            stranger = head - head % samples + generator.integers(0, samples, BATCH)
            rows = np.concatenate([head, tail, stranger])
            at_head, at_tail, at_stranger = place(rows).reshape(3, BATCH, 2).unbind()
            attraction = torch.log1p(curve(at_head, at_tail)).mean()
            together = 1 / (1 + curve(at_head, at_stranger))
            repulsion = -torch.log(1 - together + 1e-3).mean()
            optimizer.zero_grad()
            torch.autograd.backward(attraction + NEGATIVE_WEIGHT * repulsion)
            optimizer.step()
            schedule.step()
            report((step + 1) / steps)
    return tuple((weight.detach().numpy(), bias.detach().numpy()) for weight, bias in trained)


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
