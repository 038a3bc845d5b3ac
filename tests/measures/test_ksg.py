"""Nearest-neighbour and kernel-density yardsticks."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import correlated_gaussians, equicorrelated, total_correlation
from scipy.special import digamma

from infofuse.measures.ksg import KSG, KernelDensityEntropy, KozachenkoLeonenko


def restated_ksg(views, k):
    n = len(views[0])
    views = [(v - v.mean(0)) / v.std(0, ddof=1) for v in views]
    apart = [[[abs(v[i] - v[j]).max() for j in range(n)] for i in range(n)] for v in views]
    total = 0.0
    for i in range(n):
        joint = sorted(max(a[i][j] for a in apart) for j in range(n) if j != i)
        nearer = [sum(a[i][j] < joint[k - 1] for j in range(n) if j != i) for a in apart]
        total += sum(digamma(c + 1) for c in nearer) / n
    return digamma(k) + (len(views) - 1) * digamma(n) - total


@pytest.mark.parametrize("count", [2, 3])
def test_formula_of_the_authors(count):
    views = torch.randn(count, 30, 2, dtype=torch.float64)
    views[1] += views[0]
    assert KSG(k=3)(*views).item() == pytest.approx(restated_ksg(views.numpy(), 3), abs=1e-10)


@pytest.mark.parametrize(("dim", "nats"), [(1, 0.0), (1, 0.5), (1, 2.0), (2, 0.5)])
def test_gaussians(dim, nats):
    assert KSG()(*correlated_gaussians(dim, nats)(3000)).item() == pytest.approx(nats, abs=0.06)


def test_a_transform_of_one_coordinate_keeps_it():
    x, y = correlated_gaussians(1, 1.0)(3000)
    assert KSG()(x.sinh(), y**3).item() == pytest.approx(1.0, abs=0.08)


def test_three_views():
    views = equicorrelated(3, 0.8)(3000)
    assert KSG()(*views).item() == pytest.approx(total_correlation(3, 0.8), abs=0.06)


def test_rows_beyond_a_chunk_are_counted_alike(monkeypatch):
    x, y = correlated_gaussians(1, 1.0)(100)
    whole = KSG()(x, y)
    monkeypatch.setattr("infofuse.measures.ksg.CHUNK", 7)
    torch.testing.assert_close(KSG()(x, y), whole)


def test_asking_for_a_gradient_is_refused():
    x, y = torch.randn(10, 1, requires_grad=True), torch.randn(10, 1)
    with pytest.raises(ValueError, match="has no gradient; detach"):
        KSG()(x, y)
    with torch.no_grad():
        assert KSG()(x, y).isfinite()


def gaussian_entropy(sigmas):
    return sum(0.5 * math.log(2 * math.pi * math.e * s**2) for s in sigmas)


def test_nearest_neighbour_entropy_of_gaussian_and_uniform():
    sigmas = torch.tensor([0.5, 2.0])
    estimate = KozachenkoLeonenko()(torch.randn(3000, 2) * sigmas).item()
    assert estimate == pytest.approx(gaussian_entropy(sigmas.tolist()), abs=0.06)
    assert KozachenkoLeonenko()(4 * torch.rand(3000, 1)).item() == pytest.approx(
        math.log(4), abs=0.06
    )


def test_nearest_neighbour_entropy_restated():
    y = torch.randn(20, 3, dtype=torch.float64)
    radii = [sorted(np.linalg.norm(y[i] - y[j]) for j in range(20) if j != i)[2] for i in range(20)]
    ball = 4 / 3 * math.pi
    expected = digamma(20) - digamma(3) + math.log(ball) + 3 * np.mean(np.log(radii))
    assert KozachenkoLeonenko(k=3)(y).item() == pytest.approx(expected, abs=1e-10)


def test_kernel_density_entropy_restated_and_over_the_truth():
    y = torch.randn(20, 2, dtype=torch.float64) * torch.tensor([0.5, 2.0])
    h = [20 ** (-1 / 6) * np.std(c, ddof=1) for c in y.numpy().T]

    def density(a, b):
        return math.prod(
            math.exp(-0.5 * ((p - q) / w) ** 2) / (math.sqrt(2 * math.pi) * w)
            for p, q, w in zip(a, b, h, strict=True)
        )

    rows = y.numpy()
    logs = [
        math.log(np.mean([density(a, b) for j, b in enumerate(rows) if j != i]))
        for i, a in enumerate(rows)
    ]
    assert KernelDensityEntropy()(y).item() == pytest.approx(-np.mean(logs), abs=1e-10)
    estimate = KernelDensityEntropy()(torch.randn(2000, 1)).item()
    assert gaussian_entropy([1]) - 0.03 <= estimate <= gaussian_entropy([1]) + 0.08


@pytest.mark.parametrize("entropy", [KozachenkoLeonenko(), KernelDensityEntropy()])
def test_entropy_gradients(entropy):
    y = torch.randn(8, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(entropy, (y,))


@pytest.mark.parametrize("entropy", [KozachenkoLeonenko(), KernelDensityEntropy()])
def test_entropy_of_equal_clips_is_low_and_finite(entropy):
    y = torch.ones(6, 2, requires_grad=True)
    value = entropy(y)
    value.backward()
    assert value.isfinite()
    assert value < -10
    assert y.grad.isfinite().all()


@pytest.mark.parametrize("entropy", [KozachenkoLeonenko(), KernelDensityEntropy()])
@settings(deadline=None, max_examples=15)
@given(scale=st.floats(0.01, 100), seed=st.integers(0, 99))
def test_scaling_by_c_adds_d_ln_c(entropy, scale, seed):
    y = torch.randn(12, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    added = entropy(scale * y) - entropy(y)
    assert added.item() == pytest.approx(3 * math.log(scale), abs=1e-9)


@settings(deadline=None, max_examples=15)
@given(scale=st.floats(0.01, 100), shift=st.floats(-10, 10), seed=st.integers(0, 99))
def test_ksg_does_not_see_scale_or_origin(scale, shift, seed):
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(2, 20, 2, dtype=torch.float64, generator=generator)
    torch.testing.assert_close(KSG()(scale * x + shift, y), KSG()(x, y))
