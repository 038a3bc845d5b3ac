"""Mutual dependency of several views: duals at their optimum, and closed forms reached."""

import math

import pytest
import torch
from oracles import equicorrelated, fit, held_out, total_correlation

from infofuse.measures.dependency import (
    MutualDependency,
    kantorovich_rubinstein,
    product_samples,
)
from infofuse.measures.donsker_varadhan import donsker_varadhan
from infofuse.measures.f_gan import (
    jensen_shannon,
    nguyen_wainwright_jordan,
    pearson,
    squared_hellinger,
)

# Joint counts of a 2 x 3 table; the product of its marginals has whole counts of 24 * 24.
COUNTS = torch.tensor([[6, 1, 1], [2, 7, 7]])


def table_laws():
    """p and q of the six cells, and cells repeated so that plain means are expectations."""
    product = COUNTS.sum(1, keepdim=True) * COUNTS.sum(0)
    cells = torch.arange(6)
    joint_cells = cells.repeat_interleave(COUNTS.flatten())
    product_cells = cells.repeat_interleave(product.flatten())
    p, q = COUNTS.flatten().double() / 24, product.flatten().double() / 576
    return p, q, joint_cells, product_cells


def divergence(p, q):
    m = (p + q) / 2
    return {
        "kl": (p * (p / q).log()).sum(),
        "js": 0.5 * ((p * (p / m).log()).sum() + (q * (q / m).log()).sum()),
        "pearson": ((p - q) ** 2 / q).sum(),
        "hellinger": ((p.sqrt() - q.sqrt()) ** 2).sum(),
    }


DUALS = [
    (donsker_varadhan, "kl", lambda r: r.log() + 3.7),  # any shift of the log ratio is optimal
    (nguyen_wainwright_jordan, "kl", lambda r: 1 + r.log()),
    (jensen_shannon, "js", torch.log),
    (pearson, "pearson", lambda r: 2 * (r - 1)),
    (squared_hellinger, "hellinger", lambda r: 0.5 * r.log()),
]


@pytest.mark.parametrize(("dual", "name", "optimum"), DUALS)
def test_each_dual_is_tight_at_its_optimum_and_below_elsewhere(dual, name, optimum):
    p, q, joint, product = table_laws()
    truth, best = divergence(p, q)[name].item(), optimum(p / q)
    assert dual(best[joint], best[product]).item() == pytest.approx(truth, abs=1e-12)
    for _ in range(20):
        other = best + torch.randn(6, dtype=torch.float64)
        assert dual(other[joint], other[product]).item() < truth


def test_product_samples_keep_marginals_and_break_pairs():
    x = torch.arange(500.0)[:, None]
    first, second, third = product_samples(x, x, x)
    for view in (first, second, third):
        assert torch.equal(view.sort(0).values, x)
    assert (second == third).sum() < 10
    assert (first == second).sum() < 10


@pytest.mark.slow
@pytest.mark.parametrize(("rho", "truth"), [(0.5, 0.3466), (0.8, 1.1317)])
@pytest.mark.parametrize("divergence", ["kl", "f"])
def test_total_correlation_of_equicorrelated_gaussians(rho, truth, divergence):
    assert total_correlation(3, rho) == pytest.approx(truth, abs=1e-4)
    measure, draw = MutualDependency([1, 1, 1], divergence, hidden=64), equicorrelated(3, rho)
    fit(measure, draw, steps=500, batch=256, rate=5e-3)
    estimate = held_out(measure, draw, batch=2048)
    assert 0.9 * truth <= estimate <= truth + 0.04


@pytest.mark.parametrize("f", ["js", "hellinger"])
def test_other_f_divergences_of_equicorrelated_gaussians(f):
    measure, draw = MutualDependency([1, 1], "f", f=f, hidden=32), equicorrelated(2, 0.8)
    fit(measure, draw, steps=400, batch=256, rate=5e-3)
    assert held_out(measure, draw) == pytest.approx(gaussian_divergence(0.8)[f], rel=0.1, abs=0.01)


def test_pearson_of_a_table():
    p, q, joint, product = table_laws()
    one_hot = torch.cat([torch.eye(2).repeat_interleave(3, 0), torch.eye(3).repeat(2, 1)], 1)

    def draw(n):
        return (
            one_hot[joint[torch.randint(len(joint), (n,))]],
            one_hot[product[torch.randint(len(product), (n,))]],
        )

    measure = MutualDependency([2, 3], "f", f="pearson", hidden=16)
    fit(measure, draw, steps=300, batch=256, rate=1e-2, loss=measure.loss_from_samples)
    truth = divergence(p, q)["pearson"].item()
    assert held_out(measure.from_samples, draw) == pytest.approx(truth, rel=0.1)


def gaussian_divergence(rho):
    """JS by quadrature and squared Hellinger in closed form, Gaussians against independence."""
    grid = torch.linspace(-6, 6, 601, dtype=torch.float64)
    x, y = torch.meshgrid(grid, grid, indexing="ij")
    q = torch.exp(-(x**2 + y**2) / 2) / (2 * math.pi)
    exponent = -(x**2 - 2 * rho * x * y + y**2) / (2 * (1 - rho**2))
    p = exponent.exp() / (2 * math.pi * math.sqrt(1 - rho**2))
    area = (grid[1] - grid[0]).item() ** 2
    closed = 2 * (1 - (1 - rho**2) ** 0.25 / math.sqrt(1 - rho**2 / 4))
    found = divergence(p.clamp(min=1e-300), q)
    assert found["hellinger"].item() * area == pytest.approx(closed, abs=1e-6)
    return {"js": found["js"].item() * area, "hellinger": closed}


SHIFT = torch.tensor([2.0, -1.0, 2.0])


def shifted(n):
    """Two Gaussians at distance |SHIFT| = 3, which is their W_1."""
    return torch.randn(n, 3) + SHIFT, torch.randn(n, 3)


@pytest.mark.parametrize(
    ("lipschitz", "low", "high"),
    [("spectral", 2.85, 3.1), ("penalty", 3 * 1.0, 3 * 1.2)],  # the penalty adds W_1 / 20
)
def test_wasserstein_of_shifted_gaussians_is_the_shift(lipschitz, low, high):
    measure = MutualDependency([3], "wasserstein", lipschitz=lipschitz, hidden=32)
    fit(measure, shifted, steps=350, rate=5e-3, loss=measure.loss_from_samples)
    assert low <= held_out(measure.from_samples, shifted) <= high


def test_clipped_weights_stay_clipped_and_order_distances():
    estimates = []
    for scale in (1.0, 2.0):
        torch.manual_seed(0)
        measure = MutualDependency([3], "wasserstein", lipschitz="clipping", hidden=32, clip=0.1)
        draw = lambda n, s=scale: (torch.randn(n, 3) + s * SHIFT, torch.randn(n, 3))  # noqa: E731
        fit(measure, draw, steps=200, rate=5e-3, loss=measure.loss_from_samples)
        estimates.append(held_out(measure.from_samples, draw))
        assert all(m.weight.abs().max() <= 0.1 for m in measure.network if hasattr(m, "weight"))
    assert 1.3 < estimates[1] / estimates[0] < 2.2


def test_spectral_critics_have_slope_at_most_one():
    measure = MutualDependency([4, 4], "wasserstein", hidden=64).eval()
    a, b = torch.randn(2, 200, 8)
    rise = (measure.network(a) - measure.network(b)).abs().squeeze(1)
    assert (rise <= 1.01 * (a - b).norm(dim=1)).all()


def test_from_samples_is_what_forward_takes_of_its_views():
    measure = MutualDependency([2, 3], hidden=8)
    x, y = torch.randn(30, 2), torch.randn(30, 3)
    torch.manual_seed(5)
    whole = measure(x, y)
    torch.manual_seed(5)
    joint, product = torch.cat([x, y], 1), torch.cat(product_samples(x, y), 1)
    torch.testing.assert_close(measure.from_samples(joint, product), whole)
    expected = donsker_varadhan(measure.critic(x, y), measure.network(product).squeeze(1))
    torch.testing.assert_close(whole, expected)


def test_the_penalty_is_in_the_loss_only():
    measure = MutualDependency([1], "wasserstein", lipschitz="penalty", hidden=4, penalty=7.0)
    joint, product = torch.randn(2, 20, 1)
    with torch.no_grad():  # the penalty needs a gradient of its own, whoever asks
        loss = measure.loss_from_samples(joint, product)
    slopes = torch.autograd.grad(measure.network(z := joint.requires_grad_()).sum(), z)[0]
    assert loss > -measure.from_samples(joint, product)
    assert slopes.isfinite().all()


def test_critic_scores_single_clips():
    measure = MutualDependency([1, 2, 3], hidden=8)
    views = torch.randn(5, 1), torch.randn(5, 2), torch.randn(5, 3)
    assert measure.critic(*views).shape == (5,)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"divergence": "kll"}, "unknown divergence 'kll'; known: kl, f, wasserstein"),
        ({"f": "chi2"}, "unknown f 'chi2'; known: kl, js, pearson, hellinger"),
        ({"lipschitz": "clip"}, "unknown lipschitz 'clip'; known: spectral, penalty, clipping"),
    ],
)
def test_unknown_names_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        construct_unchecked(**options)


def construct_unchecked(**options):
    """Without beartype, which a user does not run: its wrapper holds the plain function."""
    measure = MutualDependency.__new__(MutualDependency)
    plain = MutualDependency.__init__
    while hasattr(plain, "__wrapped__"):
        plain = plain.__wrapped__
    plain(measure, [1, 1], **options)


def test_views_of_other_widths_are_refused():
    with pytest.raises(ValueError, match=r"views of widths \(2, 3\); found widths \(2, 2\)"):
        MutualDependency([2, 3])(torch.randn(4, 2), torch.randn(4, 2))


def test_units_follow_the_divergence():
    units = [
        MutualDependency([1, 1]).unit,
        MutualDependency([1, 1], "f", f="pearson").unit,
        MutualDependency([1, 1], "wasserstein").unit,
    ]
    assert units == ["nats", "chi^2", "distance"]


def test_kantorovich_rubinstein_is_a_difference_of_means():
    assert kantorovich_rubinstein(torch.tensor([3.0, 5.0]), torch.tensor([1.0])).item() == 3
