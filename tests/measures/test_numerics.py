"""Covariances and determinants against scikit-learn and NumPy, and where they degenerate."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import ledoit_wolf

from infofuse.measures.numerics import covariance, distances, logdet, standardised


@pytest.mark.parametrize(("n", "d"), [(3, 5), (20, 4), (200, 10)])
def test_ledoit_wolf_is_scikit_learns(n, d):
    x = torch.randn(n, d) * torch.linspace(0.5, 2, d)
    expected = ledoit_wolf(x.double().numpy())[0] * n / (n - 1)  # theirs is normalised by n
    np.testing.assert_allclose(covariance(x).numpy(), expected, rtol=1e-9)


def test_fixed_shrinkage_moves_towards_the_mean_variance():
    x = torch.randn(30, 4, dtype=torch.float64)
    plain = np.cov(x.numpy().T)
    np.testing.assert_allclose(covariance(x, 0.0).numpy(), plain, rtol=1e-12)
    expected = 0.7 * plain + 0.3 * np.trace(plain) / 4 * np.eye(4)
    np.testing.assert_allclose(covariance(x, 0.3).numpy(), expected, rtol=1e-12)


def test_logdet_is_numpys():
    cov = np.cov(np.random.default_rng(0).normal(size=(50, 6)).T)
    expected = np.linalg.slogdet(cov)[1]
    assert logdet(torch.from_numpy(cov)).item() == pytest.approx(expected, abs=1e-7)


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 6),
    d=st.integers(1, 8),
    scale=st.sampled_from([0.0, 1e-6, 1.0, 1e6]),
    shrinkage=st.sampled_from([None, 0.0, 0.1, 1.0]),
)
def test_any_number_of_rows_gives_finite_values_and_gradients(n, d, scale, shrinkage):
    x = (scale * torch.randn(n, d)).requires_grad_()
    value = logdet(covariance(x, shrinkage))
    value.backward()
    assert value.isfinite()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("shrinkage", [None, 0.0, 0.2])
def test_gradcheck(shrinkage):
    x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: logdet(covariance(x, shrinkage)), (x,))


def test_standardised_columns():
    z = standardised(torch.randn(50, 3) * 9 + 4)
    torch.testing.assert_close(z.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(z.var(0), torch.ones(3))
    assert standardised(torch.full((4, 1), 3.0)).tolist() == [[0.0]] * 4
    assert standardised(torch.full((7, 1), 0.1)).tolist() == [[0.0]] * 7


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e25])
def test_standardised_columns_have_no_units(scale):
    x = torch.randn(50, 3)
    torch.testing.assert_close(standardised(x * scale), standardised(x))


def test_equal_rows_are_at_distance_zero_and_pull_nobody():
    x = torch.randn(5, 2).repeat(8, 1).mul_(1e3).requires_grad_()
    d = distances(x, x)
    assert (d[:5, 5:10].diagonal() == 0).all()
    d.sum().backward()
    assert x.grad.isfinite().all()
