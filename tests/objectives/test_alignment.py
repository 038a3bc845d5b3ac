"""Alignment: gradients, zero at equality, what each kind sees, and planted private information."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infofuse.errors import InfofuseError
from infofuse.measures import CovarianceGap
from infofuse.objectives import Alignment, Sum
from infofuse.objectives.alignment import GAPS, bounded, cross, marginal
from infofuse.papers import dma
from infofuse.types import Batch, Output

KINDS = ("marginal", "bounded", "cross")


def output_of(views: Mapping[str, Tensor], lacking: Mapping[str, Tensor] = {}) -> Output:
    n = len(next(iter(views.values())))
    present = {m: ~lacking.get(m, torch.zeros(n, dtype=torch.bool)) for m in views}
    return Output(torch.zeros(n, 1), views, present)


def gap(objective: Alignment, x: Tensor, y: Tensor, **options: dict[str, Tensor]) -> Tensor:
    out = output_of({"x": x, "y": y}, **options)
    batch = Batch({}, torch.zeros(len(x), 1), torch.arange(len(x)))
    (term,) = objective(out, batch).values()
    return term.loss


def align(dx: int, dy: int, kind: str = "marginal", weight: float = 1.0, **more: int) -> Alignment:
    return Alignment(("x", "y"), (dx, dy), weight, kind, **more)


def blocks(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    c = torch.cov(torch.cat([x, y], 1).T)
    d = x.shape[1]
    return c[:d, :d], c[d:, d:], c[:d, d:]


@pytest.mark.parametrize("kind", KINDS)
def test_gradcheck(kind: str) -> None:
    x, y = (torch.randn(12, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda x, y: GAPS[kind](*blocks(x, y)), (x, y))


def test_gradcheck_of_coral() -> None:
    x, y = (torch.randn(7, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(CovarianceGap(), (x, y))


def test_the_gradient_is_that_of_the_derivation() -> None:
    """d gap / d F_x = F_x centred (C_x - C_y) / (d^2 (B - 1)); docs/dma.md."""
    x, y = torch.randn(20, 4, requires_grad=True), torch.randn(20, 4)
    gap(align(4, 4), x, y).backward()
    cx, cy, _ = blocks(x.detach(), y)
    expected = (x.detach() - x.detach().mean(0)) @ (cx - cy) / (4**2 * 19)
    torch.testing.assert_close(x.grad, expected)


def test_marginal_is_deep_coral() -> None:
    x, y = torch.randn(20, 4), torch.randn(20, 4)
    torch.testing.assert_close(gap(align(4, 4, weight=0.3), x, y), 0.3 * CovarianceGap()(x, y))


def test_zero_at_equality() -> None:
    x = torch.randn(30, 3)
    assert gap(align(3, 3), x, x.clone()) == 0
    assert gap(align(3, 3), x, x + 5) < 1e-12
    assert abs(gap(align(3, 3, "bounded"), x, 7 * x)) < 1e-6
    assert gap(align(3, 3, "cross"), x, -x) < 0.15  # not quite 0, by the shrinkage


def test_bounded_kinds_stay_in_their_bounds() -> None:
    """At independence, at opposite axes, and at huge scale."""
    n = 2000
    for scale in (1e-3, 1.0, 1e4):
        x, y = scale * torch.randn(n, 3), scale * torch.randn(n, 3)
        assert 0.98 < gap(align(3, 3, "cross"), x, y) <= 1
        one, two = x * torch.tensor([1.0, 0, 0]), x * torch.tensor([0, 1.0, 0])
        assert gap(align(3, 3, "bounded"), one, two) == pytest.approx(1.0, abs=0.01)
        assert 0 <= gap(align(3, 3, "bounded"), x, y) < 0.1


def test_marginal_alignment_is_blind_to_pairing_and_cross_is_not() -> None:
    x = torch.randn(200, 3)
    y = x + 0.1 * torch.randn(200, 3)
    shuffled = y[torch.randperm(200)]
    for kind in ("marginal", "bounded"):
        torch.testing.assert_close(
            gap(align(3, 3, kind), x, y), gap(align(3, 3, kind), x, shuffled)
        )
    assert gap(align(3, 3, "cross"), x, y) < 0.3
    assert gap(align(3, 3, "cross"), x, shuffled) > 0.9


def test_wider_views_are_projected_without_being_stretched() -> None:
    objective = align(8, 3)
    torch.testing.assert_close(objective.project_x.T @ objective.project_x, torch.eye(3))
    assert list(objective.parameters()) == []
    assert objective.project_x.equal(align(8, 3).project_x)
    assert gap(objective, torch.randn(20, 8), torch.randn(20, 3)).isfinite()
    assert align(8, 6, width=2).project_y.shape == (6, 2)
    with pytest.raises(InfofuseError, match="a width from 1 to 6"):
        align(8, 6, width=7)


def test_small_batches_run_an_exponential_mean() -> None:
    """B = 6, d = 12: rate 1/2, and the covariance settles at that of the stream."""
    objective = align(12, 12)
    scale = torch.linspace(0.5, 2, 12)
    seen = []
    for _ in range(300):
        gap(objective, torch.randn(6, 12) * scale, torch.randn(6, 12))
        seen.append(objective.covariance[:12, :12].diagonal().clone())
    torch.testing.assert_close(
        torch.stack(seen[20:]).mean(0).float(), scale**2, rtol=0.15, atol=0.02
    )
    x, y = torch.randn(6, 12), torch.randn(6, 12)
    before = objective.covariance.clone()
    gap(objective, x, y)
    expected = 0.5 * before + 0.5 * torch.cov(torch.cat([x, y], 1).T.double())
    torch.testing.assert_close(objective.covariance, expected)


def test_the_running_covariance_survives_a_state_dict_and_rests_in_evaluation() -> None:
    one, two = align(12, 12), align(12, 12)
    for _ in range(4):
        gap(one, torch.randn(6, 12), torch.randn(6, 12))
    two.load_state_dict(one.state_dict())
    x, y = torch.randn(6, 12), torch.randn(6, 12)
    assert gap(two.eval(), x, y) == gap(one.eval(), x, y)
    assert one.covariance.equal(two.covariance)


def test_clips_that_lack_a_modality_do_not_count() -> None:
    x, y = torch.randn(20, 3), torch.randn(20, 3)
    gone = torch.arange(20) >= 12
    full = gap(align(3, 3), x[:12], y[:12])
    assert gap(align(3, 3), x, y, lacking={"y": gone}) == full
    assert gap(align(3, 3), x, y, lacking={"y": torch.arange(20) > 0}) == 0


def test_a_negative_weight_pushes_apart_and_only_where_there_is_a_bound() -> None:
    with pytest.raises(InfofuseError, match="'bounded' or 'cross'"):
        align(3, 3, weight=-1.0)
    for kind in ("bounded", "cross"):
        first, before, after = pushed(kind, -1.0)
        assert after > before + 0.1
        assert not first.nonnegative


def pushed(kind: str, weight: float, steps: int = 60) -> tuple[Alignment, float, float]:
    """The gap of two linear encoders of planted views, before and after descending the term."""
    shared = torch.randn(128, 2)
    sources = [torch.cat([shared, torch.randn(128, 2)], 1) for _ in range(2)]
    encoders = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
    objective = align(4, 4, kind, weight)
    optimizer = torch.optim.Adam(encoders.parameters(), lr=0.02)
    gaps = []
    for _ in range(steps):
        loss = gap(objective, *(e(s) for e, s in zip(encoders, sources, strict=True)))
        gaps.append(loss.item() / weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return objective, gaps[0], gaps[-1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_gap_halves_and_the_private_part_stays_decodable(seed: int) -> None:
    """Planted: text sees (s, t), audio (s, a), at unlike scales; 100 steps of alignment alone."""
    rng = torch.Generator().manual_seed(seed)
    shared, own_text, own_audio = (torch.randn(400, 2, generator=rng) for _ in range(3))
    text = torch.cat([2 * shared, own_text], 1) @ torch.randn(4, 6, generator=rng)
    audio = torch.cat([shared, 0.5 * own_audio], 1) @ torch.randn(4, 6, generator=rng)
    torch.manual_seed(seed)
    encoders = nn.ModuleDict({m: nn.Sequential(nn.Linear(6, 16), nn.Tanh()) for m in ("x", "y")})
    objective = align(16, 16)
    optimizer = torch.optim.Adam(encoders.parameters(), lr=0.01)
    first = last = 0.0
    for i in range(100):
        loss = gap(objective, encoders["x"](text), encoders["y"](audio))
        first, last = (loss.item() if i == 0 else first), loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert last < 0.5 * first
    for name, source, private in (("x", text, own_text), ("y", audio, own_audio)):
        h = encoders[name](source).detach().numpy()
        assert probe(h, private.numpy()) > 0.8


def probe(h: np.ndarray, target: np.ndarray) -> float:
    """R² of a linear probe, fitted on the first half and scored on the second."""
    design = np.c_[np.ones(len(h)), h]
    half = len(h) // 2
    weights = np.linalg.lstsq(design[:half], target[:half], rcond=None)[0]
    error = target[half:] - design[half:] @ weights
    return float(1 - error.var() / target[half:].var())


SUBSETS = [(a, b, c) for a in (0.0, 1.0) for b in (0.0, 1.0) for c in (0.0, 1.0) if a + b + c]


@pytest.mark.parametrize("weights", SUBSETS)
def test_any_subset_of_the_pairs_in_one_expression(weights: tuple[float, float, float]) -> None:
    widths = {"text": 8, "audio": 4, "vision": 6, "fused": 9}
    choices = dma.Plus(*weights)
    objective = Sum(dma.alignment(widths, choices))
    views = {m: torch.randn(16, d, requires_grad=True) for m, d in widths.items()}
    terms = objective(output_of(views), Batch({}, torch.zeros(16, 1), torch.arange(16)))
    pairs = ("align(text;audio)", "align(text;vision)", "align(audio;vision)")
    assert list(terms) == [p for p, w in zip(pairs, weights, strict=True) if w]
    torch.stack([t.loss for t in terms.values()]).sum().backward()
    touched = {m for m in widths if views[m].grad is not None}
    assert touched == {
        m for p, w in zip(pairs, weights, strict=True) if w for m in p[6:-1].split(";")
    }


def test_pairs_that_the_data_lacks_are_left_out() -> None:
    objective = dma.alignment({"text": 8, "audio": 4, "fused": 2})
    assert [part.name for part in objective.parts] == ["align(text;audio)"]


def test_the_three_gaps_disagree_in_numbers() -> None:
    c = blocks(torch.randn(50, 3).double(), torch.randn(50, 3).double())
    assert len({round(f(*c).item(), 3) for f in (marginal, bounded, cross)}) == 3
