"""HSIC, CKA, distance correlation and MMD: formulas restated, invariances, the kinds of zero."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infofuse.measures.gram import gaussian, median_bandwidth
from infofuse.measures.kernels import CKA, HSIC, MMD, DistanceCorrelation


def restated_gram(x, bandwidth):
    if bandwidth is None:
        return [[float(a @ b) for b in x] for a in x]
    return [[math.exp(-((a - b) ** 2).sum() / (2 * bandwidth**2)) for b in x] for a in x]


def restated_hsic(k, m):
    n = len(k)
    h = np.eye(n) - 1 / n
    return np.trace(np.array(k) @ h @ np.array(m) @ h) / (n - 1) ** 2


def restated_unbiased_hsic(k, m):
    """Song et al. 2012, eq. 5."""
    n = len(k)
    k, m = np.array(k), np.array(m)
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    one = np.ones(n)
    trace = np.trace(k @ m)
    sums = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
    cross = 2 / (n - 2) * (one @ k @ m @ one)
    return (trace + sums - cross) / (n * (n - 3))


def views(n=9):
    x = torch.randn(n, 3, dtype=torch.float64)
    return x, x[:, :2].square() + 0.5 * torch.randn(n, 2, dtype=torch.float64)


KERNELS = [("linear", None), ("rbf", 1.3)]


@pytest.mark.parametrize(("kernel", "bandwidth"), KERNELS)
@pytest.mark.parametrize("unbiased", [False, True])
def test_hsic_and_cka_restated(kernel, bandwidth, unbiased):
    x, y = views()
    k, m = (restated_gram(z.numpy(), bandwidth) for z in (x, y))
    hsic = restated_unbiased_hsic if unbiased else restated_hsic
    options = {"kernel": kernel, "bandwidth": bandwidth, "unbiased": unbiased}
    assert HSIC(**options)(x, y).item() == pytest.approx(hsic(k, m), abs=1e-10)
    expected = hsic(k, m) / math.sqrt(hsic(k, k) * hsic(m, m))
    assert CKA(**options)(x, y).item() == pytest.approx(expected, abs=1e-10)


def test_linear_hsic_is_the_squared_cross_covariance():
    x, y = views()
    cross = (x - x.mean(0)).T @ (y - y.mean(0)) / 8
    torch.testing.assert_close(HSIC("linear")(x, y), cross.square().sum())


def restated_distance_covariance(x, y):
    """Székely et al. 2007, def. 3, one pair of clips at a time."""

    def centred(z):
        a = np.array([[np.linalg.norm(p - q) for q in z] for p in z])
        return a - a.mean(0) - a.mean(1)[:, None] + a.mean()

    return (centred(x) * centred(y)).mean()


def test_distance_correlation_restated():
    x, y = (v.numpy() for v in views())
    v = restated_distance_covariance
    expected = math.sqrt(v(x, y) / math.sqrt(v(x, x) * v(y, y)))
    estimate = DistanceCorrelation()(torch.from_numpy(x), torch.from_numpy(y))
    assert estimate.item() == pytest.approx(expected, abs=1e-10)


def test_distance_correlation_of_gaussians():
    """Székely et al. 2007, theorem 7: a closed form in the correlation."""
    rho = 0.6
    x = torch.randn(2000, 1)
    y = rho * x + 0.8 * torch.randn(2000, 1)

    def covariance(r):
        return (
            r * math.asin(r) + math.sqrt(1 - r**2) - r * math.asin(r / 2) - math.sqrt(4 - r**2) + 1
        )

    squared = covariance(rho) / covariance(1)
    assert DistanceCorrelation()(x, y).item() == pytest.approx(math.sqrt(squared), abs=0.05)
    assert DistanceCorrelation(unbiased=True)(x, y).item() == pytest.approx(squared, abs=0.05)


def test_mmd_restated():
    x, y = torch.randn(2, 7, 2, dtype=torch.float64)

    def k(a, b):
        return math.exp(-((a - b) ** 2).sum() / (2 * 0.9**2))

    a, b = x.numpy(), y.numpy()
    within = sum(k(z[i], z[j]) for z in (a, b) for i in range(7) for j in range(7) if i != j) / 42
    across = sum(k(p, q) for p in a for q in b) / 49
    assert MMD(bandwidth=0.9)(x, y).item() == pytest.approx(within - 2 * across, abs=1e-10)


def test_mmd_of_shifted_gaussians():
    """Kernel width s, shift m, one dimension: 2 s / sqrt(s^2 + 2) (1 - exp(-m^2 / 2 (s^2 + 2)))."""
    x, y = torch.randn(3000, 1), torch.randn(3000, 1) + 1.5
    expected = 2 / math.sqrt(3) * (1 - math.exp(-(1.5**2) / 6))
    assert MMD(bandwidth=1.0)(x, y).item() == pytest.approx(expected, abs=0.03)


def test_unbiased_statistics_average_to_zero_under_independence():
    draws = [torch.randn(2, 20, 2) for _ in range(300)]
    for measure, size in [
        (HSIC(bandwidth=1.0, unbiased=True), 1e-3),
        (DistanceCorrelation(unbiased=True), 0.02),
        (CKA("rbf", unbiased=True), 0.02),
        (MMD(bandwidth=1.0), 5e-3),
    ]:
        estimates = torch.stack([measure(x, y) for x, y in draws])
        assert abs(estimates.mean().item()) < size
        assert estimates.min() < 0


@pytest.mark.parametrize(
    "measure",
    [
        HSIC(bandwidth=1.0),
        HSIC("linear", unbiased=True),
        CKA(),
        CKA("rbf", bandwidth=1.0, unbiased=True),
        DistanceCorrelation(),
        DistanceCorrelation(unbiased=True),
    ],
)
def test_gradcheck(measure):
    assert torch.autograd.gradcheck(measure, tuple(v.requires_grad_() for v in views(7)))


def test_gradcheck_of_mmd():
    pair = torch.randn(2, 5, 2, dtype=torch.float64).unbind()
    assert torch.autograd.gradcheck(MMD(bandwidth=1.0), tuple(v.requires_grad_() for v in pair))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 999), scale=st.floats(0.05, 20))
def test_rotation_scale_and_origin_are_not_seen(seed, scale):
    torch.manual_seed(seed)
    x, y = views(12)
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64)).Q
    moved = scale * x @ turn - 4
    for measure in (CKA(), CKA("rbf"), CKA(unbiased=True), HSIC(), DistanceCorrelation()):
        torch.testing.assert_close(measure(moved, y), measure(x, y))
    torch.testing.assert_close(MMD()(moved, scale * x.flip(1) - 4), MMD()(x @ turn, x.flip(1)))


@pytest.mark.parametrize("measure", [CKA(), CKA("rbf"), CKA(unbiased=True), DistanceCorrelation()])
def test_a_view_is_wholly_like_itself(measure):
    x = torch.randn(20, 3)
    assert measure(x, x).item() == pytest.approx(1, abs=1e-5)


def test_median_bandwidth_survives_repeated_clips():
    d = torch.zeros(6, 6)
    d[0, 1:] = d[1:, 0] = 1.0
    assert median_bandwidth(d).item() == pytest.approx(1 / 3)
    assert median_bandwidth(torch.zeros(3, 3)) > 0
    assert gaussian(torch.zeros(3, 3), median_bandwidth(torch.zeros(3, 3))).isfinite().all()


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e3, 1e6, 1e12])
@pytest.mark.parametrize("measure", [CKA(), CKA(unbiased=True), DistanceCorrelation()])
def test_scale_does_not_matter_even_in_float32(measure, scale):
    x = torch.randn(64, 8)
    y = x[:, :4] + torch.randn(64, 4)
    expected = measure(x, y).item()
    assert expected > 0.1
    assert measure(scale * x, y).item() == pytest.approx(expected, rel=1e-3)
    assert measure(scale * x, scale * y).item() == pytest.approx(expected, rel=1e-3)
