"""Canonical correlations, Gaussian information, Barlow Twins, VICReg."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import correlated_gaussians, equicorrelated, total_correlation

from infofuse.measures.correlation import (
    BarlowTwins,
    CanonicalCorrelation,
    GaussianInformation,
    VICReg,
)


def canonical_correlations(x, y):
    """Singular values of Q_x' Q_y, the orthonormal bases of the centred columns."""
    q = [np.linalg.qr(z - z.mean(0))[0] for z in (x, y)]
    return np.linalg.svd(q[0].T @ q[1])[1]


def related_views(n=40, dim_x=3, dim_y=2):
    x = torch.randn(n, dim_x, dtype=torch.float64)
    mix = torch.randn(dim_x, dim_y, dtype=torch.float64)
    return x, x @ mix + torch.randn(n, dim_y, dtype=torch.float64)


def test_both_are_functions_of_the_canonical_correlations():
    x, y = related_views()
    rho = canonical_correlations(x.numpy(), y.numpy())
    assert CanonicalCorrelation(0.0)(x, y).item() == pytest.approx((rho**2).sum(), abs=1e-6)
    expected = -0.5 * np.log(1 - rho**2).sum()
    assert GaussianInformation(0.0)(x, y).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("shrinkage", [None, 0.0])
@pytest.mark.parametrize(("dim", "nats"), [(1, 0.0), (1, 0.5), (5, 2.0), (10, 2.0), (20, 4.0)])
def test_gaussian_information_of_gaussians(dim, nats, shrinkage):
    estimate = GaussianInformation(shrinkage)(*correlated_gaussians(dim, nats)(20_000)).item()
    assert estimate == pytest.approx(nats, abs=0.05)


@pytest.mark.parametrize(("rho", "truth"), [(0.5, 0.3466), (0.8, 1.1317)])
def test_gaussian_information_of_three_views(rho, truth):
    estimate = GaussianInformation()(*equicorrelated(3, rho)(50_000)).item()
    assert estimate == pytest.approx(truth, abs=0.01)
    assert total_correlation(3, rho) == pytest.approx(truth, abs=1e-4)


def test_shrinkage_holds_when_clips_are_fewer_than_coordinates():
    x, y = torch.randn(2, 10, 30)
    assert GaussianInformation()(x, y) < 5
    assert GaussianInformation(0.0)(x, y).isfinite()
    assert CanonicalCorrelation()(x, y) < 5


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), scale=st.floats(0.1, 10))
def test_invertible_linear_maps_change_nothing(seed, scale):
    torch.manual_seed(seed)
    x, y = related_views()
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64)).Q * scale
    for measure in (CanonicalCorrelation(0.0), GaussianInformation(0.0)):
        torch.testing.assert_close(measure(x @ turn + 1, y), measure(x, y), atol=1e-6, rtol=0)
    for measure in (CanonicalCorrelation(), GaussianInformation()):  # shrunk: single columns only
        columns = torch.tensor([scale, 1.0, 3.0], dtype=torch.float64)
        torch.testing.assert_close(measure(x * columns + 1, y), measure(x, y))


@pytest.mark.parametrize("shrinkage", [None, 0.1])
@pytest.mark.parametrize("measure", [CanonicalCorrelation, GaussianInformation])
def test_gradcheck_of_information(measure, shrinkage):
    views = tuple(v.requires_grad_() for v in related_views(9))
    assert torch.autograd.gradcheck(measure(shrinkage), views)


def test_barlow_twins_restated():
    x, y = torch.randn(2, 9, 4, dtype=torch.float64)
    a, b = x.numpy(), y.numpy()
    expected = 0.0
    for i in range(4):
        for j in range(4):
            u, v = a[:, i] - a[:, i].mean(), b[:, j] - b[:, j].mean()
            c = (u * v).sum() / math.sqrt((u**2).sum() * (v**2).sum())
            expected += (1 - c) ** 2 if i == j else 0.005 * c**2
    assert BarlowTwins()(x, y).item() == pytest.approx(expected, abs=1e-10)


def test_vicreg_restated():
    x, y = torch.randn(2, 9, 4, dtype=torch.float64) * 0.7
    a, b = x.numpy(), y.numpy()
    expected = 25 * ((a - b) ** 2).mean()
    for z in (a, b):
        expected += 25 * np.maximum(0, 1 - np.sqrt(z.var(0, ddof=1) + 1e-4)).mean()
        cov = np.cov(z.T)
        expected += sum(cov[i, j] ** 2 for i in range(4) for j in range(4) if i != j) / 4
    assert VICReg()(x, y).item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("measure", [BarlowTwins(), VICReg()])
def test_gradcheck_of_redundancy(measure):
    views = torch.randn(2, 7, 3, dtype=torch.float64).unbind()
    assert torch.autograd.gradcheck(measure, tuple(v.requires_grad_() for v in views))


def test_white_twins_are_at_distance_zero():
    x = torch.linalg.qr(torch.randn(64, 8) - 0).Q
    x = torch.linalg.qr(x - x.mean(0)).Q * 8
    assert BarlowTwins()(x, 3 * x + 2).item() == pytest.approx(0, abs=1e-5)
    assert VICReg()(x, x).item() == pytest.approx(0, abs=1e-5)
