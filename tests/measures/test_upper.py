"""CLUB and L1Out: formulas restated, exact at the true conditional, above the truth when fitted."""

import math

import numpy as np
import pytest
import torch
from oracles import correlated_gaussians, fit, held_out
from torch import Tensor, nn

from infofuse.measures.upper import CLUB, L1Out


def log_density(y, mean, log_variance):
    """ln N(y; mean, diag exp log_variance), one pair, one coordinate after the other."""
    return sum(
        -0.5 * ((a - m) ** 2 / math.exp(s) + s + math.log(2 * math.pi))
        for a, m, s in zip(y, mean, log_variance, strict=True)
    )


def densities(measure, x, y):
    """log q(y_j | x_i) at [i, j]."""
    with torch.no_grad():
        mean, s = (
            f(x).numpy() for f in (measure.conditional.mean, measure.conditional.log_variance)
        )
    return np.array(
        [[log_density(b, m, v) for b in y.numpy()] for m, v in zip(mean, s, strict=True)]
    )


def test_club_is_positive_pairs_less_all_pairs():
    x, y = torch.randn(6, 3, dtype=torch.float64), torch.randn(6, 2, dtype=torch.float64) + 5
    club = CLUB(3, 2, hidden=8).double()
    q = densities(club, x, y)
    assert club(x, y).item() == pytest.approx(np.trace(q) / 6 - q.mean(), abs=1e-9)
    assert club.learning_loss(x, y).item() == pytest.approx(-np.trace(q) / 6, abs=1e-9)


def test_l1out_leaves_the_own_clip_out():
    x, y = torch.randn(6, 3, dtype=torch.float64), torch.randn(6, 2, dtype=torch.float64) + 5
    bound = L1Out(3, 2, hidden=8).double()
    q = densities(bound, x, y)
    rows = [
        q[i, i] - math.log(np.mean([math.exp(q[j, i]) for j in range(6) if j != i]))
        for i in range(6)
    ]
    assert bound(x, y).item() == pytest.approx(np.mean(rows), abs=1e-9)


def test_l1out_does_not_lose_digits_far_from_the_origin():
    x, y = torch.randn(64, 2), torch.randn(64, 2)
    bound = L1Out(2, 2, hidden=8)
    near = bound(x, y)
    with torch.no_grad():
        bound.conditional.mean[-1].bias += 1000
    torch.testing.assert_close(bound(x, y + 1000), near, rtol=1e-3, atol=1e-3)


class Linear(nn.Module):
    """mean(x) = rho x."""

    def __init__(self, rho: float):
        super().__init__()
        self.rho = rho

    def forward(self, x: Tensor) -> Tensor:
        return self.rho * x


class Constant(nn.Module):
    def __init__(self, value: float):
        super().__init__()
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        return torch.full_like(x, self.value)


@pytest.mark.parametrize(("dim", "nats"), [(1, 0.5), (5, 2.0)])
def test_at_the_true_conditional_club_is_rho2_over_one_minus_rho2(dim, nats):
    """E[(y' - rho x)^2 - (y - rho x)^2] / 2 (1 - rho^2) = rho^2 / (1 - rho^2) a coordinate."""
    rho2 = 1 - math.exp(-2 * nats / dim)
    draw = correlated_gaussians(dim, nats)
    for measure in (CLUB(dim, dim), L1Out(dim, dim)):
        measure.conditional.mean = Linear(math.sqrt(rho2))
        measure.conditional.log_variance = Constant(math.log(1 - rho2))
        estimate = held_out(measure, draw)
        expected = dim * rho2 / (1 - rho2) if isinstance(measure, CLUB) else nats
        assert estimate == pytest.approx(expected, rel=0.06)
        assert estimate >= nats - 0.05


@pytest.mark.slow
@pytest.mark.parametrize("bound", [CLUB, L1Out])
@pytest.mark.parametrize(("dim", "nats"), [(1, 0.0), (2, 0.5), (5, 2.0)])
def test_fitted_upper_bounds_stay_above(bound, dim, nats):
    measure, draw = bound(dim, dim, hidden=32), correlated_gaussians(dim, nats)
    fit(measure, draw, steps=400, rate=5e-3)
    estimate = held_out(measure, draw)
    assert estimate >= nats - 0.05
    if bound is L1Out:
        assert estimate <= nats * 1.1 + 0.05
