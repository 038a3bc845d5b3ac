"""The Barber-Agakov bound against Gaussians, whose mutual information is known."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from infofuse.measures import BarberAgakov, GaussianEntropy, KnownEntropy, KozachenkoLeonenko

DIM = 16


def correlated(mi: float, n: int, dim: int = DIM) -> tuple[Tensor, Tensor]:
    """Gaussian x and y of `dim` dimensions, pairwise correlated, sharing `mi` nats."""
    rho = math.sqrt(1 - math.exp(-2 * mi / dim))
    x = torch.randn(n, dim)
    return x, rho * x + math.sqrt(1 - rho**2) * torch.randn(n, dim)


def set_to_truth(bound: BarberAgakov, rho: float) -> None:
    """Give q(y|x) the true mean rho x (through relu(x) - relu(-x)) and the true variance."""
    mean, log_variance = bound.conditional.mean, bound.conditional.log_variance
    eye = torch.eye(bound.conditional.mean[0].in_features)
    with torch.no_grad():
        mean[0].weight.copy_(torch.cat([eye, -eye]))
        mean[2].weight.copy_(torch.cat([rho * eye, -rho * eye], dim=1))
        for layer in (mean[0], mean[2], log_variance[0]):
            layer.bias.zero_()
        log_variance[2].weight.zero_()
        log_variance[2].bias.fill_(math.log(1 - rho**2))


def test_it_asks_for_as_many_clips_as_its_entropy() -> None:
    assert BarberAgakov(4, 4).min_batch == 2
    bound = BarberAgakov(4, 4, entropy=KozachenkoLeonenko(k=3))
    assert bound.min_batch == 4
    assert bound(*torch.randn(2, 4, 4)).isfinite()


@pytest.mark.parametrize("mi", [0.0, 0.5, 2.0, 4.0])
def test_true_conditional_gives_true_information(mi: float) -> None:
    x, y = correlated(mi, 200_000)
    entropy = KnownEntropy(0.5 * DIM * math.log(2 * math.pi * math.e))
    bound = BarberAgakov(DIM, DIM, hidden=2 * DIM, entropy=entropy)
    set_to_truth(bound, math.sqrt(1 - math.exp(-2 * mi / DIM)))
    assert bound(x, y).item() == pytest.approx(mi, abs=0.03)


def test_log_likelihood_is_that_of_a_diagonal_gaussian() -> None:
    x, y = correlated(1.0, 7)
    bound = BarberAgakov(DIM, DIM, hidden=8)
    mean, s = bound.conditional.mean(x), bound.conditional.log_variance(x)
    normal = torch.distributions.Normal(mean, (0.5 * s).exp())
    torch.testing.assert_close(bound.conditional.log_prob(x, y), normal.log_prob(y).sum(1))
    torch.testing.assert_close(bound.learning_loss(x, y), -normal.log_prob(y).sum(1).mean())


def fitted(mi: float, normalised: bool, steps: int = 700) -> BarberAgakov:
    bound = BarberAgakov(DIM, DIM, hidden=64, normalised=normalised)
    optimizer = torch.optim.Adam(bound.parameters(), lr=4e-3)
    for _ in range(steps):
        loss = bound.learning_loss(*correlated(mi, 256))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return bound.eval()


@pytest.mark.parametrize("mi", [0.5, 2.0, 4.0])
def test_fitted_it_is_a_lower_bound_near_the_truth(mi: float) -> None:
    bound = fitted(mi, normalised=True)
    with torch.no_grad():
        estimate = bound(*correlated(mi, 50_000)).item()
    assert estimate <= mi + 0.02
    assert estimate >= 0.9 * mi - 0.05


def test_the_released_likelihood_bounds_nothing() -> None:
    """Without -1/2 log-variance the term goes to 0, whatever the truth, its variance unbounded."""
    readings, log_variances = [], []
    for mi in (0.5, 2.0, 4.0):
        bound = fitted(mi, normalised=False)
        x, y = correlated(mi, 20_000)
        with torch.no_grad():
            readings.append(bound(x, y).item())
            log_variances.append(bound.conditional.log_variance(x).mean().item())
    entropy = 0.5 * DIM * math.log(2 * math.pi * math.e)
    np.testing.assert_allclose(readings, entropy, atol=0.1)  # 22.70 nats each time
    assert min(log_variances) > 6


def test_default_entropy_is_that_of_a_gaussian() -> None:
    y = torch.randn(100_000, 3) * torch.tensor([1.0, 2.0, 0.5])
    true = 1.5 * math.log(2 * math.pi * math.e) + math.log(1.0 * 2.0 * 0.5)
    assert GaussianEntropy()(y).item() == pytest.approx(true, abs=0.02)


def test_gradients_reach_both_views_and_survive_bf16() -> None:
    x, y = (v.requires_grad_() for v in correlated(1.0, 32))
    bound = BarberAgakov(DIM, DIM)
    with torch.autocast("cpu", torch.bfloat16):
        value = bound(x.bfloat16(), y.bfloat16())
    assert value.dtype == torch.float32
    value.backward()
    for view in (x, y):
        assert view.grad is not None
        assert view.grad.isfinite().all()
        assert view.grad.abs().sum() > 0
