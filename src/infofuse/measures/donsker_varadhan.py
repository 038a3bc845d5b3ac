"""The Donsker-Varadhan bound of a KL divergence, and MINE, which fits it without bias."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.measures.critics import ScoreBound
from infofuse.measures.numerics import guarded, log_mean_exp, off_diagonal


def donsker_varadhan(joint: Float[Tensor, "n"], product: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """E_joint[T] - ln E_product[exp T], from a critic's values on samples of both, in nats."""
    return joint.mean() - log_mean_exp(product, 0)


class MINE(ScoreBound):
    """I(X; Y) >= E_p(x,y)[T] - ln E_p(x)p(y)[exp T].

    A lower bound in expectation over infinitely many negatives; a finite batch reads a little
    high, as the logarithm of a mean does, and much too high if the critic overfits. Negatives
    are all pairs of different clips. Cost: the scores of B^2 pairs. No ceiling, but the variance
    grows as exp(I): many nats need large batches.

    `learning_loss` has the gradient of the bound with the batch mean of exp T under the logarithm
    replaced by its moving average (`rate` per step), which takes most of the bias from the
    gradient; the average is a buffer, moved in training mode only.

    Belghazi et al. 2018 (arXiv 1801.04062), eq. 10 and 12.
    """

    side = "lower"
    paper = "arXiv 1801.04062"

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        *,
        rate: float = 0.01,
        critic: nn.Module | None = None,
        hidden: int = 128,
    ):
        super().__init__(dim_x, dim_y, critic=critic, hidden=hidden)
        self.rate = rate
        self.log_average: Tensor
        self.register_buffer("log_average", torch.tensor(float("nan")))  # nan: no batch seen yet

    def of_scores(self, scores: Float[Tensor, "batch batch"]) -> Float[Tensor, ""]:
        return donsker_varadhan(scores.diagonal(), off_diagonal(scores))

    @guarded
    def learning_loss(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        scores = self.critic(x, y)
        log_mean = log_mean_exp(off_diagonal(scores), 0)
        average = self._averaged(log_mean.detach())
        if self.training:
            self.log_average = average
        # The average holds this batch with weight `rate`, so the exponent is at most -ln(rate).
        return (log_mean - average).exp() - 1 + average - scores.diagonal().mean()

    def _averaged(self, log_mean: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """ln of (1 - rate) times the average so far plus rate times this batch's mean."""
        moved = torch.logaddexp(
            self.log_average + math.log1p(-self.rate), log_mean + math.log(self.rate)
        )
        return torch.where(self.log_average.isnan(), log_mean, moved)
