"""InfoNCE against its formula written out, and against its ceilings."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from infofuse.measures import CPC, CosinePrediction, InfoNCE, contrast


def by_hand(scores: Tensor) -> float:
    """Mean over i of s_ii - ln( 1/B sum_k exp s_ik ), term by term."""
    batch = len(scores)
    total = 0.0
    for i in range(batch):
        others = sum(math.exp(scores[i, k]) for k in range(batch)) / batch
        total += scores[i, i].item() - math.log(others)
    return total / batch


def test_formula_in_both_directions() -> None:
    scores = torch.randn(6, 6)
    assert contrast(scores).item() == pytest.approx(by_hand(scores), abs=1e-6)
    assert contrast(scores, negatives="x").item() == pytest.approx(by_hand(scores.T), abs=1e-6)
    both = 0.5 * (by_hand(scores) + by_hand(scores.T))
    assert contrast(scores, negatives="both").item() == pytest.approx(both, abs=1e-6)


def test_a_mask_takes_combinations_out() -> None:
    scores = torch.randn(5, 5)
    allowed = torch.ones(5, 5, dtype=torch.bool)
    allowed[:3, 3:] = allowed[3:, :3] = False
    parts = by_hand(scores[:3, :3]) * 3 / 5 + by_hand(scores[3:, 3:]) * 2 / 5
    assert contrast(scores, allowed=allowed).item() == pytest.approx(parts, abs=1e-6)


def test_weights_choose_rows_and_soft_positives_generalise_the_diagonal() -> None:
    scores = torch.randn(4, 4)
    only_first = contrast(scores, weights=torch.tensor([1.0, 0, 0, 0])).item()
    log_ratio = scores[0, 0] - scores[0].logsumexp(0) + math.log(4)
    assert only_first == pytest.approx(log_ratio.item(), abs=1e-6)
    torch.testing.assert_close(contrast(scores, positives=torch.eye(4)), contrast(scores))


@settings(max_examples=50, deadline=None)
@given(batch=st.integers(2, 64), scale=st.floats(0.01, 100.0), seed=st.integers(0, 10_000))
def test_never_over_ln_batch(batch: int, scale: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = scale * torch.randn(batch, batch, generator=generator)
    for negatives in ("x", "y", "both"):
        assert contrast(scores, negatives=negatives).item() <= math.log(batch) + 1e-5


def test_ceilings() -> None:
    assert InfoNCE(3, 3).ceiling(128) == pytest.approx(math.log(128))
    assert CPC(3, 3).ceiling(32) == pytest.approx(1.82, abs=0.005)
    assert CPC(3, 3, temperature=0.05).ceiling(32) == pytest.approx(math.log(32), abs=1e-4)


def test_the_cosine_ceiling_is_reached_by_the_best_scores() -> None:
    batch = 32
    best = -torch.ones(batch, batch) + 2 * torch.eye(batch)
    assert contrast(best).item() == pytest.approx(CPC(1, 1).ceiling(batch), abs=1e-6)


def test_cpc_is_the_papers_loss_up_to_ln_batch() -> None:
    """-1/B sum_i ln( exp cos(h_i, G(z_i)) / sum_j exp cos(h_j, G(z_i)) ), written out."""
    z, h = torch.randn(8, 5), torch.randn(8, 3)
    cpc = CPC(5, 3)
    predicted = cpc.critic.predict(z)
    loss = 0.0
    for i in range(8):
        cosines = torch.cosine_similarity(h, predicted[i].expand_as(h), dim=1)
        loss -= (cosines[i] - cosines.logsumexp(0)).item() / 8
    assert cpc(z, h).item() == pytest.approx(math.log(8) - loss, abs=1e-6)


def test_learnt_temperature_is_learnt_and_a_fixed_one_is_not() -> None:
    z, h = torch.randn(8, 5), torch.randn(8, 3)
    fixed, learnt = CPC(5, 3), CPC(5, 3, temperature=0.5, learn_temperature=True)
    learnt(z, h).backward()
    assert learnt.critic.log_temperature.grad is not None
    assert not fixed.critic.log_temperature.requires_grad
    with pytest.raises(ValueError, match="positive"):
        CosinePrediction(5, 3, temperature=0.0)


def test_order_of_clips_does_not_matter() -> None:
    x, y = torch.randn(16, 4), torch.randn(16, 6)
    nce = InfoNCE(4, 6)
    order = torch.randperm(16)
    torch.testing.assert_close(nce(x, y), nce(x[order], y[order]))


def test_fitted_it_finds_most_of_two_nats() -> None:
    rho = math.sqrt(1 - math.exp(-2 * 2.0 / 5))
    nce = InfoNCE(5, 5, hidden=64)
    optimizer = torch.optim.Adam(nce.parameters(), lr=1e-3)

    def draw(n: int) -> tuple[Tensor, Tensor]:
        x = torch.randn(n, 5)
        return x, rho * x + math.sqrt(1 - rho**2) * torch.randn(n, 5)

    for _ in range(800):
        loss = nce.learning_loss(*draw(128))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        held_out = torch.stack([nce(*draw(1024)) for _ in range(5)]).mean().item()
    assert 1.8 < held_out < 2.03
