"""Bounds with a learned baseline: TUBA, and its interpolation with InfoNCE."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.measures.critics import ScoreBound, perceptron
from infofuse.measures.numerics import guarded, off_diagonal, safe_exp


class TUBA(ScoreBound):
    """I(X; Y) >= 1 + E_p(x,y)[T - ln a(y)] - E_p(x)p(y)[exp(T) / a(y)].

    The baseline a(y) > 0 is the exponential of a perceptron, fitted with the critic; NWJ is the
    case a(y) = e. A lower bound in expectation. Cost B^2 scores; no ceiling; the variance grows
    as exp(I).

    Poole et al. 2019 (arXiv 1905.06922), eq. 4.
    """

    side = "lower"
    paper = "arXiv 1905.06922"

    def __init__(
        self, dim_x: int, dim_y: int, *, critic: nn.Module | None = None, hidden: int = 128
    ):
        super().__init__(dim_x, dim_y, critic=critic, hidden=hidden)
        self.log_baseline = perceptron(dim_y, hidden, 1)

    def of_scores(self, scores: Float[Tensor, "batch batch"]) -> Float[Tensor, ""]:
        """The estimate, given T(x_i, y_j) - ln a(y_j)."""
        return 1 + scores.diagonal().mean() - safe_exp(off_diagonal(scores)).mean()

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        return self.of_scores(self.critic(x, y) - self.log_baseline(y).T)


class AlphaTUBA(TUBA):
    """I(X; Y) >= 1 + E_p(x,y)[ln g] - E_p(x)p(y)[g], g = exp(T) / (alpha m(y) + (1-alpha) a(y)).

    m(y) is the mean of exp T over K = B - 1 clips of the batch, as in InfoNCE: with the pair's own
    x among them in the first term, and all of them independent of y in the second. Between TUBA
    (alpha -> 0: no bias, much variance) and InfoNCE (alpha -> 1: little variance, a ceiling).
    A lower bound in expectation, at most 1 + ln((B - 1) / alpha). Cost B^2 scores.

    Poole et al. 2019 (arXiv 1905.06922), sec. 2.3: the interpolated bound I_alpha.
    """

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        *,
        alpha: float = 0.5,
        critic: nn.Module | None = None,
        hidden: int = 128,
    ):
        if not 0 < alpha < 1:
            raise ValueError(
                f"alpha lies strictly between 0 (use TUBA) and 1 (use InfoNCE); found {alpha}"
            )
        super().__init__(dim_x, dim_y, critic=critic, hidden=hidden)
        self.alpha = alpha

    def of_scores(self, scores: Float[Tensor, "batch batch"]) -> Float[Tensor, ""]:
        log_m = leave_one_out(scores) + math.log(self.alpha)
        baseline = torch.logaddexp(log_m, log_m.new_tensor(math.log1p(-self.alpha)))
        joint = scores.diagonal().mean() - off_diagonal(baseline).mean()
        return 1 + joint - safe_exp(off_diagonal(scores - baseline.diagonal())).mean()

    def ceiling(self, batch: int) -> float:
        """The most that a batch of this size can show, in nats."""
        return 1 + math.log((batch - 1) / self.alpha)


def leave_one_out(scores: Float[Tensor, "n m"]) -> Float[Tensor, "n m"]:
    """L[k, j] = ln of the mean over i != k of exp s[i, j].

    By subtraction from the sum of the column; for the largest of a column, where that would
    cancel, by the sum of the others.
    """
    top, rows = scores.detach().max(0)
    largest = torch.zeros_like(scores, dtype=torch.bool).scatter(0, rows[None], True)
    powers = (scores - top).exp()
    without = (powers.sum(0) - powers).masked_fill(largest, 1).log() + top
    of_others = scores.masked_fill(largest, float("-inf")).logsumexp(0)
    return torch.where(largest, of_others, without) - math.log(len(scores) - 1)
