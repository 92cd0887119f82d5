import numpy as np
import torch

from pru_demo.projection.map_network import forward, initial_layers


def _with_output(layers):
    weight = np.random.default_rng(1).normal(size=layers[-1][0].shape).astype(np.float32)
    return (*layers[:-1], (weight, layers[-1][1] + 1))


def test_a_new_network_gives_zero():
    points = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    assert np.array_equal(forward(initial_layers(5, seed=0), points), np.zeros((20, 2)))


def test_numpy_and_torch_agree():
    layers = _with_output(initial_layers(5, seed=0))
    points = 3 * np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    x = torch.from_numpy(points)
    for weight, bias in layers[:-1]:
        x = torch.relu(x @ torch.from_numpy(weight) + torch.from_numpy(bias))
    x = x @ torch.from_numpy(layers[-1][0]) + torch.from_numpy(layers[-1][1])
    assert np.allclose(forward(layers, points), x.numpy(), atol=1e-5)


def test_huge_inputs_do_not_overflow():
    layers = _with_output(initial_layers(5, seed=0))
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(forward(layers, np.full((2, 5), -1e6, np.float32))).all()
