"""Laws whose dependence is known in closed form, and the fitting of a measure on fresh samples."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from infofuse.measures import Measure

Sampler = Callable[[int], tuple[Tensor, ...]]


def correlated_gaussians(dim: int, nats: float) -> Sampler:
    """Pairs of standard Gaussians, coordinate k of x correlated with coordinate k of y only."""
    rho = math.sqrt(1 - math.exp(-2 * nats / dim))

    def draw(n: int) -> tuple[Tensor, Tensor]:
        x = torch.randn(n, dim)
        return x, rho * x + math.sqrt(1 - rho**2) * torch.randn(n, dim)

    return draw


def equicorrelated(k: int, rho: float) -> Sampler:
    """k standard Gaussian views of width 1, each pair correlated by rho >= 0."""

    def draw(n: int) -> tuple[Tensor, ...]:
        shared = torch.randn(n, 1)
        own = torch.randn(k, n, 1)
        return tuple(math.sqrt(rho) * shared + math.sqrt(1 - rho) * own)

    return draw


def total_correlation(k: int, rho: float) -> float:
    """-1/2 ln det of the equicorrelation matrix, by its eigenvalues 1 + (k-1) rho and 1 - rho."""
    return -0.5 * (math.log1p((k - 1) * rho) + (k - 1) * math.log1p(-rho))


def table(joint: Tensor) -> Sampler:
    """One-hot pairs (x, y) with probabilities joint[x, y]."""
    rows, columns = joint.shape

    def draw(n: int) -> tuple[Tensor, Tensor]:
        cell = torch.multinomial(joint.flatten(), n, replacement=True)
        x, y = cell // columns, cell % columns
        return torch.eye(rows)[x], torch.eye(columns)[y]

    return draw


def table_ratio(joint: Tensor) -> Tensor:
    """p(x, y) / p(x) p(y), cell by cell."""
    return joint / (joint.sum(1, keepdim=True) * joint.sum(0))


def fit(
    measure: Measure,
    draw: Sampler,
    steps: int,
    batch: int = 128,
    rate: float = 1e-3,
    loss: Callable[..., Tensor] | None = None,
) -> None:
    """Fit the measure's parameters on samples never seen twice, the rate falling to zero."""
    loss = loss or measure.learning_loss
    optimiser = torch.optim.Adam(measure.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    measure.train()
    for _ in range(steps):
        optimiser.zero_grad()
        loss(*draw(batch)).backward()
        optimiser.step()
        schedule.step()
    measure.eval()


@torch.no_grad()
def held_out(
    estimate: Callable[..., Tensor], draw: Sampler, batch: int = 512, batches: int = 20
) -> float:
    """Mean estimate over batches of fresh samples."""
    return torch.stack([estimate(*draw(batch)) for _ in range(batches)]).mean().item()


class FixedScores(nn.Module):
    """A critic that knows its answer: the same scores for every batch."""

    def __init__(self, scores: Tensor):
        super().__init__()
        self.scores = nn.Parameter(scores.clone())

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.scores
