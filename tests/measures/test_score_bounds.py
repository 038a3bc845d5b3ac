"""Variational bounds from a matrix of scores: formulas restated, and known truths reached."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import FixedScores, correlated_gaussians, fit, held_out, table, table_ratio

from infofuse.measures.critics import Concatenated, InnerProduct
from infofuse.measures.donsker_varadhan import MINE
from infofuse.measures.f_gan import JS, NWJ, SMILE
from infofuse.measures.numerics import off_diagonal, safe_exp
from infofuse.measures.tuba import TUBA, AlphaTUBA, leave_one_out

LOWER = [MINE, NWJ, TUBA, AlphaTUBA]
ALL = [*LOWER, JS, SMILE]


def pairs(n):
    return [(i, j) for i in range(n) for j in range(n) if i != j]


def restated_mine(s):
    n = len(s)
    outside = sum(math.exp(s[i, j]) for i, j in pairs(n)) / (n * (n - 1))
    return sum(s[i, i] for i in range(n)) / n - math.log(outside)


def restated_nwj(s):
    n = len(s)
    outside = sum(math.exp(s[i, j] - 1) for i, j in pairs(n)) / (n * (n - 1))
    return sum(s[i, i] for i in range(n)) / n - outside


def restated_tuba(s):
    n = len(s)
    outside = sum(math.exp(s[i, j]) for i, j in pairs(n)) / (n * (n - 1))
    return 1 + sum(s[i, i] for i in range(n)) / n - outside


def restated_alpha(s, alpha=0.5):
    """Poole et al.: y_j with the x of all but clip k; k = j makes y_j independent of them."""
    n = len(s)

    def ratio(i, j, left_out):
        m = np.mean([math.exp(s[k, j]) for k in range(n) if k != left_out])
        return math.exp(s[i, j]) / (alpha * m + (1 - alpha))

    joint = np.mean([math.log(ratio(j, j, k)) for k, j in pairs(n)])
    return 1 + joint - np.mean([ratio(i, j, j) for i, j in pairs(n)])


def restated_js(s):
    return np.mean([s[i, i] for i in range(len(s))])


def restated_smile(s, tau=5.0):
    clipped = [min(max(math.exp(s[i, j]), math.exp(-tau)), math.exp(tau)) for i, j in pairs(len(s))]
    return np.mean([s[i, i] for i in range(len(s))]) - math.log(np.mean(clipped))


RESTATED = {
    MINE: restated_mine,
    NWJ: restated_nwj,
    TUBA: restated_tuba,
    AlphaTUBA: restated_alpha,
    JS: restated_js,
    SMILE: restated_smile,
}


@pytest.mark.parametrize("bound", ALL)
def test_formula_of_the_authors(bound):
    scores = 4 * torch.randn(7, 7, dtype=torch.float64)
    estimate = bound(1, 1).of_scores(scores)
    assert estimate.item() == pytest.approx(RESTATED[bound](scores.numpy()), abs=1e-10)


def test_js_and_smile_have_the_gradient_of_the_jensen_shannon_dual():
    scores = torch.randn(6, 6, dtype=torch.float64, requires_grad=True)
    expected = -torch.sigmoid(scores.detach()) / 30
    expected.fill_diagonal_(0)
    expected += torch.diag(torch.sigmoid(-scores.detach()).diagonal() / 6)
    for bound in (JS, SMILE):
        (gradient,) = torch.autograd.grad(bound(1, 1).of_scores(scores), scores)
        torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("bound", LOWER)
def test_gradcheck(bound):
    scores = torch.randn(5, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(bound(1, 1).of_scores, (scores,))


def test_mine_gradient_is_divided_by_the_moving_average():
    first, second = torch.randn(2, 5, 5, dtype=torch.float64)
    x = torch.zeros(5, 1, dtype=torch.float64)
    mine = MINE(1, 1, critic=FixedScores(first), rate=0.1).double()
    mine.learning_loss(x, x)
    mine.critic.scores.data.copy_(second)
    mine.learning_loss(x, x).backward()

    means = [np.mean([math.exp(s[i, j]) for i, j in pairs(5)]) for s in (first, second)]
    average = 0.9 * means[0] + 0.1 * means[1]
    expected = second.exp() / average / 20
    expected.fill_diagonal_(-1 / 5)
    torch.testing.assert_close(mine.critic.scores.grad, expected)
    assert mine.log_average.exp().item() == pytest.approx(average)


def test_mine_average_rests_in_evaluation_and_travels_with_the_state():
    mine = MINE(2, 2)
    x, y = torch.randn(2, 8, 2)
    mine.learning_loss(x, y)
    before = mine.log_average.clone()
    mine.eval().learning_loss(x + 1, y)
    assert torch.equal(mine.log_average, before)
    assert torch.equal(mine.state_dict()["log_average"], before)


def test_mine_gradient_stays_finite_when_a_score_explodes():
    mine = MINE(1, 1, critic=FixedScores(torch.zeros(4, 4)))
    x = torch.zeros(4, 1)
    mine.learning_loss(x, x)
    mine.critic.scores.data[0, 1] = 1e4
    mine.learning_loss(x, x).backward()
    assert mine.critic.scores.grad.isfinite().all()


@pytest.mark.parametrize("bound", ALL)
def test_scores_beyond_the_exponential_leave_finite_gradients(bound):
    for extreme in (1e3, -1e3):
        scores = torch.randn(4, 4) + extreme * torch.eye(4).roll(1, 0)
        scores.requires_grad_()
        value = bound(1, 1).of_scores(scores)
        (gradient,) = torch.autograd.grad(value, scores)
        assert value.isfinite()
        assert gradient.isfinite().all()


def test_safe_exp_is_exp_and_then_its_tangent():
    t = torch.tensor([-3.0, 0.0, 40.0, 50.0], dtype=torch.float64, requires_grad=True)
    value = safe_exp(t)
    torch.testing.assert_close(value[:3], t[:3].exp())
    assert value[3].item() == pytest.approx(11 * math.exp(40))
    assert torch.autograd.gradcheck(
        safe_exp, (torch.tensor([-1.0, 2.0]).double().requires_grad_(),)
    )


@settings(deadline=None, max_examples=30)
@given(n=st.integers(2, 6), m=st.integers(1, 4), spread=st.floats(0, 100), seed=st.integers(0, 99))
def test_leave_one_out_is_the_mean_of_the_others(n, m, spread, seed):
    scores = spread * torch.randn(n, m, generator=torch.Generator().manual_seed(seed))
    for k in range(n):
        others = torch.cat([scores[:k], scores[k + 1 :]])
        expected = others.double().logsumexp(0) - math.log(n - 1)
        torch.testing.assert_close(
            leave_one_out(scores)[k].double(), expected, rtol=1e-5, atol=1e-4
        )


def test_off_diagonal_walks_the_rows():
    assert off_diagonal(torch.arange(9.0).view(3, 3)).tolist() == [1, 2, 3, 5, 6, 7]


def test_alpha_tuba_never_exceeds_its_ceiling():
    bound = AlphaTUBA(1, 1, alpha=0.3)
    for scale in (1, 10, 39):
        assert bound.of_scores(scale * (2 * torch.eye(16) - 1)).item() <= bound.ceiling(16)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_alpha_at_its_ends_names_the_measure_to_use(alpha):
    with pytest.raises(ValueError, match=r"use TUBA.*use InfoNCE"):
        AlphaTUBA(1, 1, alpha=alpha)


@pytest.mark.parametrize("critic", [InnerProduct, Concatenated])
def test_a_critic_scores_each_pair_as_it_does_alone(critic):
    score = critic(3, 2, hidden=8)
    x, y = torch.randn(5, 3), torch.randn(5, 2)
    alone = [[score(x[i : i + 1], y[j : j + 1]).item() for j in range(5)] for i in range(5)]
    torch.testing.assert_close(score(x, y), torch.tensor(alone))


@pytest.mark.parametrize("bound", [MINE, NWJ, TUBA, AlphaTUBA, JS, SMILE])
@pytest.mark.parametrize("nats", [0.0, 0.5])
def test_small_information_is_found_and_none_invented(bound, nats):
    measure, draw = bound(1, 1, hidden=32), correlated_gaussians(1, nats)
    fit(measure, draw, steps=250, rate=5e-3)
    assert held_out(measure, draw) == pytest.approx(nats, abs=0.04)


@pytest.mark.slow
@pytest.mark.parametrize("bound", ALL)
def test_two_nats_of_five_dimensions(bound):
    measure, draw = bound(5, 5, hidden=64), correlated_gaussians(5, 2.0)
    fit(measure, draw, steps=600, batch=128, rate=4e-3)
    estimate = held_out(measure, draw)
    assert estimate >= 1.8
    assert estimate <= (2.05 if bound in LOWER else 2.2)


@pytest.mark.slow
def test_the_concatenated_critic_reaches_it_too():
    measure = MINE(5, 5, critic=Concatenated(5, 5, hidden=64))
    draw = correlated_gaussians(5, 2.0)
    fit(measure, draw, steps=300, batch=64, rate=3e-3)
    assert 1.7 <= held_out(measure, draw, batch=128) <= 2.05


@pytest.mark.parametrize("bound", [MINE, SMILE])
def test_information_survives_an_invertible_transform(bound):
    gaussians = correlated_gaussians(2, 1.0)

    def draw(n):
        x, y = gaussians(n)
        return x.sinh(), torch.stack([y[:, 0] + y[:, 1] ** 2, y[:, 1]], 1)

    measure = bound(2, 2, hidden=64)
    fit(measure, draw, steps=500, rate=5e-3)
    assert 0.88 <= held_out(measure, draw) <= 1.05


def test_a_table_is_read_to_the_last_percent():
    joint = torch.tensor([[0.30, 0.02, 0.03], [0.05, 0.20, 0.05], [0.01, 0.09, 0.25]])
    truth = (joint * table_ratio(joint).log()).sum().item()
    for bound in (MINE, NWJ, JS):
        measure, draw = bound(3, 3, hidden=16), table(joint)
        fit(measure, draw, steps=250, rate=1e-2)
        assert held_out(measure, draw) == pytest.approx(truth, abs=0.03)
