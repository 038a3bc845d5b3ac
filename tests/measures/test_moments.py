"""Covariance gap and central moment discrepancy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infofuse.measures.moments import CMD, CovarianceGap


def test_deep_coral_restated():
    x, y = torch.randn(2, 12, 4, dtype=torch.float64)
    covariances = []
    for z in (x.numpy(), y.numpy()):
        total = z.sum(0)  # eq. 2: (D'D - (1'D)'(1'D) / n) / (n - 1)
        covariances.append((z.T @ z - np.outer(total, total) / 12) / 11)
    expected = sum((a - b) ** 2 for a, b in zip(*map(np.ravel, covariances), strict=True)) / (
        4 * 16
    )
    assert CovarianceGap()(x, y).item() == pytest.approx(expected, abs=1e-12)


def test_cmd_restated():
    x, y = torch.rand(2, 12, 3, dtype=torch.float64)
    a, b, span = x.numpy(), y.numpy(), 2.0
    expected = np.sqrt(((a.mean(0) - b.mean(0)) ** 2).sum()) / span
    for k in range(2, 6):
        moment_a, moment_b = (((z - z.mean(0)) ** k).mean(0) for z in (a, b))
        expected += np.sqrt(((moment_a - moment_b) ** 2).sum()) / span**k
    assert CMD(span=span)(x, y).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("measure", [CovarianceGap(), CMD()])
def test_zero_for_the_same_law_in_any_order_and_only_then(measure):
    x = torch.randn(40, 3)
    assert measure(x, x[torch.randperm(40)]).item() == pytest.approx(0, abs=1e-6)
    assert measure(x, 2 * x) > 0.01


def test_the_gap_of_known_covariances():
    """diag(1, 4) against I: (4 - 1)^2 / (4 * 2^2)."""
    x = torch.randn(200_000, 2)
    gap = CovarianceGap()(x * torch.tensor([1.0, 2.0]), torch.randn(200_000, 2))
    assert gap.item() == pytest.approx(9 / 16, abs=0.02)


def test_cmd_sees_what_the_covariance_gap_cannot():
    x = torch.randn(20_000, 1)
    skewed = torch.distributions.Exponential(1.0).sample((20_000, 1)) - 1  # mean 0, variance 1
    assert CovarianceGap()(x, skewed) < 0.01
    assert CMD()(x, skewed) > 1


@pytest.mark.parametrize("measure", [CovarianceGap(), CMD()])
def test_gradcheck(measure):
    views = torch.randn(2, 6, 3, dtype=torch.float64).unbind()
    assert torch.autograd.gradcheck(measure, tuple(v.requires_grad_() for v in views))


@pytest.mark.parametrize("measure", [CovarianceGap(), CMD()])
@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 999), scale=st.floats(0.1, 10))
def test_rotating_and_shifting_both_views(measure, seed, scale):
    torch.manual_seed(seed)
    x, y = torch.rand(2, 20, 4, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64)).Q
    shifted = measure(x + 3, y + 3)
    torch.testing.assert_close(shifted, measure(x, y))
    if isinstance(measure, CovarianceGap):  # moments by coordinate do turn with the axes
        torch.testing.assert_close(measure(x @ rotation, y @ rotation), measure(x, y))
        torch.testing.assert_close(measure(scale * x, scale * y), scale**4 * measure(x, y))
    else:
        torch.testing.assert_close(CMD(span=scale)(scale * x, scale * y), measure(x, y))
