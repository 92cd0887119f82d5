import numpy as np

from pru_demo.projection.pca import principal_axes


def _snapshots() -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    widths = np.geomspace(1, 0.1, 8)
    return [(generator.normal(size=(100, 8)) * widths).astype(np.float32) for _ in range(3)]


def test_coordinates_are_uncorrelated_and_the_widest_comes_first():
    snapshots = _snapshots()
    axes = principal_axes(snapshots, 5)
    covariance = np.cov(np.concatenate([axes.coordinates(x) for x in snapshots]).T)
    widths = np.diag(covariance)
    assert np.abs(covariance - np.diag(widths)).max() < 1e-4 * widths[0]
    assert (np.diff(widths) < 0).all()


def test_coordinates_are_of_order_one():
    snapshots = [100 * x for x in _snapshots()]
    axes = principal_axes(snapshots, 8)
    coordinates = np.concatenate([axes.coordinates(x) for x in snapshots])
    assert np.isclose(np.square(coordinates).mean(), 1, atol=1e-3)


def test_all_axes_together_keep_all_distances_in_proportion():
    snapshots = _snapshots()
    axes = principal_axes(snapshots, 50)
    a, b = axes.coordinates(snapshots[0])[:2]
    c, d = axes.coordinates(snapshots[2])[:2]
    before = np.linalg.norm(snapshots[0][0] - snapshots[0][1])
    other = np.linalg.norm(snapshots[2][0] - snapshots[2][1])
    assert np.isclose(np.linalg.norm(a - b) / before, np.linalg.norm(c - d) / other, rtol=1e-4)


def test_the_largest_entry_of_every_axis_is_positive():
    directions = principal_axes(_snapshots(), 8).directions
    assert (directions[np.abs(directions).argmax(axis=0), np.arange(8)] > 0).all()


def test_coinciding_points_have_coordinates_zero():
    constant = np.full((30, 4), 0.1, np.float32)
    axes = principal_axes([constant, constant], 2)
    assert np.isfinite(axes.directions).all()
    assert np.abs(axes.coordinates(constant)).max() < 0.1
