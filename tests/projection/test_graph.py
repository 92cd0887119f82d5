import numpy as np

from pru_demo.projection.graph import memberships, nearest, temporal_graph


def test_neighbours_are_the_exact_ones_in_order():
    points = np.random.default_rng(0).normal(size=(80, 6))
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    indices, found = nearest(points, 10)
    assert np.array_equal(indices, distances.argsort(axis=1)[:, :10])
    assert np.allclose(found, np.sort(distances, axis=1)[:, :10])


def test_close_points_far_from_the_rest_keep_their_neighbours():
    line = np.zeros((40, 3), np.float32)
    line[:, 0] = np.arange(40) * 1e-3
    line[20:] += 100
    indices, _ = nearest(line, 1)
    assert (np.abs(indices[:, 0] - np.arange(40)) == 1).all()


def test_memberships_sum_to_the_logarithm_of_the_neighbourhood():
    distances = np.sort(np.random.default_rng(0).uniform(1, 2, (50, 15)), axis=1)
    weights = memberships(distances)
    assert np.allclose(weights.sum(axis=1), np.log2(16), atol=1e-5)
    assert np.allclose(weights[:, 0], 1)
    assert (np.diff(weights, axis=1) <= 0).all()


def test_memberships_of_coinciding_points_are_one():
    assert np.array_equal(memberships(np.zeros((4, 3))), np.ones((4, 3)))


def test_every_pair_is_connected_at_most_once_and_only_inside_a_snapshot():
    points = np.random.default_rng(0).normal(size=(3, 60, 5)).astype(np.float32)
    graph = temporal_graph(points, [])
    assert len(graph.inside) == 3
    for edges in graph.inside:
        pairs = {frozenset(pair) for pair in zip(edges.head, edges.tail, strict=True)}
        assert len(pairs) == len(edges.head)
        assert all(len(pair) == 2 for pair in pairs)
        assert max(edges.head.max(), edges.tail.max()) < 60
        assert edges.weight.min() > 0
        assert edges.weight.max() <= 1


def test_steps_in_time_tie_a_sample_to_itself_and_weaken_with_its_length():
    points = np.random.default_rng(0).normal(size=(2, 60, 5)).astype(np.float32)
    points[1] = points[0]
    points[1, 7] += 3
    (step,) = temporal_graph(points, [(0, 1)]).steps
    assert (step.before, step.after) == (0, 1)
    assert np.allclose(np.delete(step.weight, 7), 0.3)
    assert step.weight[7] < 0.05
    assert np.isclose(step.length[7], 3 * 5**0.5, rtol=1e-5)
    assert not np.delete(step.length, 7).any()
