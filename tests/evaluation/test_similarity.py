"""CKA: what it must not see, and values known from theory."""

import numpy as np
import pytest

from pru_demo.evaluation.likeness import likeness, linear_cka

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6)) * [5, 3, 2, 1, 1, 0.5]
Y = RNG.normal(size=(300, 4)) + X[:, :4]


def test_a_network_is_like_itself() -> None:
    assert linear_cka(X, X) == pytest.approx(1, abs=1e-12)


def test_rotation_scale_and_shift_are_not_seen() -> None:
    rotation = np.linalg.qr(X[:6])[0]
    turned = 7 * X @ rotation + 100
    assert linear_cka(turned, X) == pytest.approx(1, abs=1e-9)
    assert linear_cka(turned, Y) == pytest.approx(linear_cka(X, Y), abs=1e-9)


def test_a_stretched_axis_is_seen() -> None:
    similarity = linear_cka(X * [1, 1, 1, 1, 1, 20], X)
    assert similarity is not None
    assert similarity < 0.9


def test_it_is_symmetric() -> None:
    assert linear_cka(X, Y) == pytest.approx(linear_cka(Y, X))


def test_between_single_features_it_is_the_squared_correlation() -> None:
    r = np.corrcoef(X[:, 0], Y[:, 0])[0, 1]
    assert linear_cka(X[:, :1], Y[:, :1]) == pytest.approx(r**2)


def test_half_of_two_equal_unrelated_features_is_one_over_root_two() -> None:
    both = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], dtype=np.float16)
    assert linear_cka(both, both[:, :1]) == pytest.approx(1 / np.sqrt(2))
    assert linear_cka(both[:, :1], both[:, 1:]) == 0


def test_it_equals_the_form_with_gram_matrices() -> None:
    centring = np.eye(300) - 1 / 300
    gram_x, gram_y = (centring @ f @ f.T @ centring for f in (X, Y))
    expected = (gram_x * gram_y).sum() / (np.linalg.norm(gram_x) * np.linalg.norm(gram_y))
    assert linear_cka(X, Y) == pytest.approx(expected)


def test_half_precision_is_summed_in_double() -> None:
    half = (X * 100).astype(np.float16)
    assert linear_cka(half, X) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("value", [0.0, 0.1, np.nan])
def test_features_that_do_not_vary_cannot_be_aligned(value: float) -> None:
    still = np.full((300, 3), value)
    assert linear_cka(still, X) is None
    assert linear_cka(X, still) is None


def test_the_forgotten_are_compared_among_themselves() -> None:
    forgotten = np.arange(300) < 100
    other = X.copy()
    # Only the forgotten samples see something else; from all others they stay as far as they were.
    other[forgotten] = X[:100][::-1]
    (layer,) = likeness({"e": X}, {"e": other}, forgotten)
    assert layer.forgotten == linear_cka(X[:100], X[:100][::-1])
    assert layer.all == linear_cka(X, other)
    (kept,) = likeness({"e": X}, {"e": other}, ~forgotten)
    assert kept.forgotten == pytest.approx(1)


def test_turned_blocks_are_alike_and_blocks_come_in_order() -> None:
    rotation = np.linalg.qr(X[:6])[0]
    layers = likeness({"b": X, "a": X}, {"a": Y, "b": X @ rotation}, np.arange(300) < 100)
    assert [layer.name for layer in layers] == ["b", "a"]
    assert (layers[0].all, layers[0].forgotten) == pytest.approx((1, 1))
    assert layers[1].all is not None and layers[1].all < 0.999
