"""A trajectory like unlearning: one cluster leaves towards three others and comes half-way back."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

DESTINATIONS = (1, 2, 7)


@dataclass(frozen=True)
class Trajectory:
    """``features`` (T, n, d), true ``labels`` (n,), ``retained`` (n,): every class but 0."""

    features: np.ndarray
    labels: np.ndarray
    retained: np.ndarray


def _unlearning(
    *,
    samples: int = 400,
    snapshots: int = 9,
    dimensions: int = 48,
    seed: int = 0,
    walk: float = 0.05,
    turn: bool = True,
) -> Trajectory:
    # Ten Gaussian clusters around fixed centres: every seed is another run of the same model
    model = np.random.default_rng(0)
    labels = np.arange(samples) % 10
    centres = model.normal(size=(10, dimensions)) * (2 / np.sqrt(dimensions))
    # Variance falls from direction to direction, as in real features
    widths = np.exp(-np.arange(dimensions) / 30)
    widths *= 1 / np.sqrt(np.square(widths).sum())
    points = centres[labels] + model.normal(size=(samples, dimensions)) * widths
    goal = np.array(DESTINATIONS)[np.arange(samples) // 10 % 3]
    forgotten = labels == 0

    run = np.random.default_rng(seed + 1)
    rotation = np.eye(dimensions)
    noise = np.zeros_like(points)
    features = []
    for progress in np.interp(np.arange(snapshots) * 2 / (snapshots - 1), (0, 1, 2), (0, 0.8, 0.4)):
        moved = points + noise
        moved[forgotten] += progress * (centres[goal] - centres[0])[forgotten]
        features.append(moved @ rotation)
        noise = noise + walk * run.normal(size=points.shape) * widths
        if turn:
            skew = 0.02 * run.normal(size=(dimensions, dimensions))
            rotation = rotation @ np.linalg.qr(np.eye(dimensions) + skew - skew.T)[0]
    return Trajectory(np.stack(features).astype(np.float32), labels, ~forgotten)


@pytest.fixture(scope="session")
def unlearning() -> Callable[..., Trajectory]:
    """Make a `Trajectory`; all of them share snapshot 0 if samples and dimensions are equal."""
    return _unlearning
