"""Eq. 1–5 against numbers worked out by hand, in float64 (``docs/methods.md``, "Numerics")."""

import pytest
import torch
from torch import Tensor

from pru_demo.methods.losses import l_o, l_p, l_s, mask_classes, redistribute


def numbers(*rows: object) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


Z = numbers([2, 1, 0, -1], [5, 1, 0, 0.5])
TARGETS = numbers(
    [0, 0.6652409558, 0.2447284711, 0.0900305732], [0, 0.5064803911, 0.1863237232, 0.3071958857]
)
STUDENT = numbers([1, 2, 0, -1], [3, 0, 1, 0.5])
E = numbers([0, 0], [0, 2], [3, 0], [3, 4], [6, 8])
CLUSTERS = torch.tensor([1, 1, 2, 2, 3])


def literal(z: Tensor, forget: list[int]) -> Tensor:
    """Eq. 1 and 2 as printed: each other class gets its share of what the forgotten ones had."""
    p = z.softmax(1)
    kept = p.index_fill(1, torch.tensor(forget), 0)
    return kept + p[:, forget].sum(1, keepdim=True) * kept / kept.sum(1, keepdim=True)


def assert_close(actual: Tensor, expected: Tensor, digits: int = 10) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=0.6 * 10**-digits)


def test_softmax_of_the_worked_example() -> None:
    p = numbers([0.6439142599, 0.2368828181, 0.0871443187, 0.0320586033])
    assert_close(Z[:1].softmax(1), p)


def test_redistribution_matches_the_worked_examples() -> None:
    assert_close(redistribute(Z, {0}), TARGETS)


def test_redistribution_gives_forget_class_zero() -> None:
    shares = redistribute(Z, {2})
    assert (shares[:, 2] == 0).all()
    assert_close(shares.sum(1), torch.ones(2, dtype=torch.float64), 15)


@pytest.mark.parametrize("forget", [[0], [3], [0, 2], [1, 2, 3]])
def test_redistribution_equals_the_two_equations_as_printed(forget: list[int]) -> None:
    assert_close(redistribute(Z, forget), literal(Z, forget), 14)


def test_redistribution_over_several_classes_zeroes_all_of_them() -> None:
    shares = redistribute(Z, {0, 1})
    assert (shares[:, :2] == 0).all()
    assert_close(shares[:, 2:], Z[:, 2:].softmax(1), 15)


@pytest.mark.parametrize("gap", [15, 104, 200])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_redistribution_stays_exact_where_the_printed_form_divides_zero_by_zero(
    gap: int, dtype: torch.dtype
) -> None:
    z = torch.tensor([[gap, 1.0, 0.0, 0.5]], dtype=dtype)
    shares = redistribute(z, {0})
    assert shares[0, 0] == 0
    torch.testing.assert_close(shares.double(), TARGETS[1:], rtol=0, atol=1e-7)
    assert shares.sum().item() == pytest.approx(1, abs=1e-7)


def test_loss_and_gradient_are_finite_when_the_student_is_certain_of_the_forgotten_class() -> None:
    z = torch.tensor([[200.0, 1.0, 0.0, 0.5]], requires_grad=True)
    loss = l_p(z, redistribute(z.detach(), {0}))
    loss.backward()
    # All of p̂ lies on the forgotten class, so the loss is the gap and the gradient p̂ − p̃.
    assert loss.item() == pytest.approx(200 - torch.tensor([1, 0, 0.5]).logsumexp(0).item())
    assert z.grad is not None
    torch.testing.assert_close(z.grad.double(), numbers([1, 0, 0, 0]) - TARGETS[1:])


def test_masking_leaves_the_other_logits_and_the_argument_alone() -> None:
    z = Z.clone()
    masked = mask_classes(z, {1, 3})
    assert torch.equal(z, Z)
    assert torch.equal(masked[:, [0, 2]], Z[:, [0, 2]])
    assert (masked[:, [1, 3]] == -torch.inf).all()


def test_most_probable_target_is_the_best_other_logit() -> None:
    z = torch.randn(50, 10, generator=torch.Generator().manual_seed(0))
    assert torch.equal(redistribute(z, {4}).argmax(1), mask_classes(z, {4}).argmax(1))


@pytest.mark.parametrize(("row", "expected"), [(0, 1.0325837341), (1, 3.3552543937)])
def test_initial_l_p_is_minus_log_of_what_is_not_forgotten(row: int, expected: float) -> None:
    z = Z[row : row + 1]
    loss = l_p(z, redistribute(z, {0}))
    assert loss.item() == pytest.approx(expected, abs=1e-10)
    assert loss.item() == pytest.approx(-(1 - z.softmax(1)[0, 0]).log().item(), abs=1e-12)


def test_l_p_of_the_worked_example() -> None:
    assert l_p(STUDENT, redistribute(Z, {0})).item() == pytest.approx(1.1220226590, abs=1e-10)


def test_l_p_with_the_released_epsilon() -> None:
    loss = l_p(STUDENT, redistribute(Z, {0}), epsilon=1e-6)
    assert loss.item() == pytest.approx(1.1220096451, abs=1e-10)


def test_l_p_gradient_of_the_worked_example() -> None:
    student = STUDENT.clone().requires_grad_()
    l_p(student, redistribute(Z, {0})).backward()
    expected = numbers(
        [0.1184414090, -0.0106633479, -0.0787920762, -0.0289859849],
        [0.3945684184, -0.2335957907, -0.0397628329, -0.1212097948],
    )
    assert student.grad is not None
    assert_close(student.grad, expected)


def test_l_p_is_a_forgetting_term_plus_a_preserving_term() -> None:
    targets, others = redistribute(Z, {0}), redistribute(STUDENT, {0})
    forgetting = -(1 - STUDENT.softmax(1)[:, 0]).log().mean()
    preserving = (targets[:, 1:] * (targets[:, 1:] / others[:, 1:]).log()).sum(1).mean()
    assert forgetting.item() == pytest.approx(0.9134447754, abs=1e-10)
    assert preserving.item() == pytest.approx(0.2085778836, abs=1e-10)
    assert l_p(STUDENT, targets).item() == pytest.approx((forgetting + preserving).item())


def test_epsilon_takes_the_gradient_from_confident_samples() -> None:
    def gradient(epsilon: float) -> float:
        z = numbers([18, 0, 0, 0]).requires_grad_()
        l_p(z, redistribute(z.detach(), {0}), epsilon).backward()
        assert z.grad is not None
        return z.grad[0, 0].item()

    assert gradient(1e-6) / gradient(0) < 0.03


def test_l_o_of_the_worked_example() -> None:
    loss = l_o(E, CLUSTERS)
    assert loss is not None
    assert loss.item() == pytest.approx(0.1571501014, abs=1e-10)
    assert 1 / loss.item() - 1e-6 == pytest.approx(6.3633420167, abs=1e-8)


def test_l_o_gradient_of_the_worked_example() -> None:
    features = E.clone().requires_grad_()
    loss = l_o(features, CLUSTERS)
    assert loss is not None
    loss.backward()
    one, three, five = (
        [0.0065834789, 0.0044267213],
        [-0.0020640622, 0.0023798837],
        [-0.0090388334, -0.0136132101],
    )
    assert features.grad is not None
    assert_close(features.grad, numbers(one, one, three, three, five))


def test_l_o_of_a_single_cluster_is_none() -> None:
    assert l_o(E, torch.zeros(5, dtype=torch.long)) is None


def test_l_o_ignores_how_clusters_are_numbered() -> None:
    one, other = l_o(E, CLUSTERS), l_o(E, torch.tensor([7, 7, 0, 0, 4]))
    assert one is not None
    assert other is not None
    assert torch.equal(one, other)


def test_l_s_of_the_worked_example() -> None:
    loss = l_s(E, CLUSTERS)
    assert loss is not None
    assert loss.item() == pytest.approx(3, abs=1e-12)


def test_l_s_gradient_pulls_pairs_together() -> None:
    features = E.clone().requires_grad_()
    loss = l_s(features, CLUSTERS)
    assert loss is not None
    loss.backward()
    assert features.grad is not None
    assert_close(features.grad, numbers([0, -0.5], [0, 0.5], [0, -0.5], [0, 0.5], [0, 0]))


def test_l_s_without_a_pair_is_none() -> None:
    assert l_s(E, torch.arange(5)) is None


def test_l_s_averages_clusters_or_pairs() -> None:
    # Two clusters, on a line each: pair distances {2} and {5, 5, 10}.
    points = numbers([0, 0], [2, 0], [100, 0], [105, 0], [110, 0])
    clusters = torch.tensor([0, 0, 1, 1, 1])
    macro, micro = l_s(points, clusters), l_s(points, clusters, "micro")
    assert macro is not None
    assert micro is not None
    assert macro.item() == pytest.approx((2 + 20 / 3) / 2)
    assert macro.item() == pytest.approx(4.333, abs=1e-3)
    assert micro.item() == pytest.approx(5.5)


def test_losses_of_identical_features_have_finite_gradients() -> None:
    features = torch.ones(6, 3, requires_grad=True)
    clusters = torch.tensor([0, 0, 0, 1, 1, 1])
    separation, spread = l_o(features, clusters), l_s(features, clusters)
    assert separation is not None
    assert spread is not None
    (separation + spread).backward()
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_distances_stay_exact_in_large_collapsed_clusters() -> None:
    # More than 25 rows is where torch.cdist changes to an inexact formula.
    generator = torch.Generator().manual_seed(0)
    exact = 3 + 1e-3 * torch.randn(40, 192, generator=generator, dtype=torch.float64)
    clusters = torch.zeros(40, dtype=torch.long)
    loss, expected = l_s(exact.float(), clusters), l_s(exact, clusters)
    assert loss is not None
    assert expected is not None
    assert loss.item() == pytest.approx(expected.item(), rel=1e-3)
