"""Bounds at the best critic there is: the truth of Gaussians in 1 to 20 dimensions, 0 to 4 nats.

Fitting is left out, so what is tested is the arithmetic: a critic that knows ln p(x,y)/p(x)p(y)
must be read as the mutual information.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import correlated_gaussians
from torch import Tensor

from infofuse.measures import JS, MINE, NWJ, SMILE, TUBA, AlphaTUBA, BarlowTwins, InfoNCE, contrast
from infofuse.measures.donsker_varadhan import donsker_varadhan

GRID = [(dim, nats) for dim in (1, 5, 10, 20) for nats in (0.0, 0.5, 2.0, 4.0)]
BATCH = 1024


def log_ratios(x: Tensor, y: Tensor, nats: float) -> Tensor:
    """ln p(x_i, y_j) / p(x_i) p(y_j), coordinates correlated in pairs."""
    dim = x.shape[1]
    unexplained = math.exp(-2 * nats / dim)  # 1 - rho^2
    rho = math.sqrt(1 - unexplained)
    squares = (rho * x).square().sum(1)[:, None] - 2 * rho * x @ y.T + y.square().sum(1)
    return nats - 0.5 * squares / unexplained + 0.5 * y.square().sum(1)


def readings(dim: int, nats: float, batches: int = 3) -> dict[str, float]:
    """The mean estimate of each bound over batches."""
    shifts = {InfoNCE: 0.0, NWJ: 1.0, TUBA: 0.0, AlphaTUBA: 0.0, MINE: 0.0, JS: 0.0, SMILE: 0.0}
    draw, totals = correlated_gaussians(dim, nats), dict.fromkeys(shifts, 0.0)
    for _ in range(batches):
        x, y = (v.double() for v in draw(BATCH))
        scores = log_ratios(x, y, nats)
        for bound, shift in shifts.items():
            totals[bound] += bound(1, 1, hidden=1).of_scores(scores + shift).item() / batches
    return {bound.__name__: total for bound, total in totals.items()}


@pytest.mark.parametrize(("dim", "nats"), GRID)
def test_bounds_at_the_true_ratio(dim: int, nats: float) -> None:
    for name, estimate in readings(dim, nats).items():
        assert estimate >= 0.9 * nats - 0.05, name
        above = 0.1 * nats if name in ("JS", "SMILE") else 0.05  # estimates, and bounds from below
        assert estimate <= nats + 0.05 + above, name


def test_a_ceiling_cuts_off_what_the_truth_has_beyond_it() -> None:
    x, y = correlated_gaussians(20, 8.0)(64)
    scores = log_ratios(x.double(), y.double(), 8.0)
    ceiling = InfoNCE(1, 1).ceiling(64)
    assert 0.95 * ceiling <= contrast(scores).item() <= ceiling


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), shift=st.floats(-20, 20))
def test_what_a_bound_does_not_see_of_its_scores(seed: int, shift: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(7, 7, dtype=torch.float64, generator=generator)
    of_x = shift * torch.randn(7, 1, dtype=torch.float64, generator=generator)
    torch.testing.assert_close(contrast(scores + of_x), contrast(scores))
    moved = contrast(scores + of_x.T, negatives="x")
    torch.testing.assert_close(moved, contrast(scores, negatives="x"))
    joint, product = scores.flatten()[:20], scores.flatten()[20:]
    moved = donsker_varadhan(joint + shift, product + shift)
    torch.testing.assert_close(moved, donsker_varadhan(joint, product))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
def test_barlow_twins_sees_neither_scale_nor_origin(seed: int, scale: float, shift: float) -> None:
    x, y = torch.randn(2, 9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    columns = torch.tensor([scale, 1.0, 2.0, 1 / scale], dtype=torch.float64)
    torch.testing.assert_close(BarlowTwins()(x * columns + shift, y), BarlowTwins()(x, y))
