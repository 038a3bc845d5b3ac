"""Upper bounds of mutual information, for penalties that want it small."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from infofuse.measures.barber_agakov import ConditionalGaussian
from infofuse.measures.measure import Measure
from infofuse.measures.numerics import guarded, safe_exp


class ConditionalBound(Measure):
    """A bound made of a fitted conditional q(y|x) = N(y; mean(x), diag exp s(x)).

    `learning_loss` is -E[log q(y|x)], in nats: q is fitted by likelihood, not by the bound.
    """

    side = "upper"

    def __init__(self, dim_x: int, dim_y: int, *, hidden: int = 128):
        super().__init__()
        self.conditional = ConditionalGaussian(dim_x, dim_y, hidden)

    @guarded
    def learning_loss(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        return -self.conditional.log_prob(x, y).mean()


class CLUB(ConditionalBound):
    """I(X; Y) <= E_p(x,y)[log q(y|x)] - E_p(x)p(y)[log q(y|x)] where q is the true conditional.

    With a fitted q it is an upper bound as long as KL(p(x,y) || q(y|x)p(x)) is at most
    KL(p(x)p(y) || q(y|x)p(x)); loose even at the true q. The second mean runs over all B^2
    pairs, the clip's own among them, at a cost linear in B: a Gaussian's logarithm needs of y
    only mean and variance. No ceiling.

    Cheng et al. 2020 (arXiv 2006.12013), eq. 8 (vCLUB), with Theorem 3.2.
    """

    paper = "arXiv 2006.12013"

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        mean, precision = self.conditional.mean(x), safe_exp(-self.conditional.log_variance(x))
        own = (y - mean).square()
        all_pairs = (y.mean(0) - mean).square() + y.var(0, correction=0)  # E_j (y_j - mean_i)^2
        return 0.5 * ((all_pairs - own) * precision).sum(1).mean()


class L1Out(ConditionalBound):
    """I(X; Y) <= E_i[ log q(y_i|x_i) - ln 1/(B-1) sum_{j != i} q(y_i|x_j) ] at the true q.

    The leave-one-out mean stands for p(y_i). Over the truth in expectation if q is the true
    conditional; with a fitted q that is only approximate. Cost: (B, B) densities, by matrix
    products. Tighter than `CLUB`, and large where B is small against exp(I).

    Poole et al. 2019 (arXiv 1905.06922), sec. 2.1, after Alemi et al. 2017 (arXiv 1612.00410).
    """

    pairs_cost = True
    paper = "arXiv 1905.06922"

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        log_q = self._log_densities(x, y)
        own = torch.eye(len(x), dtype=torch.bool, device=x.device)
        others = log_q.masked_fill(own, float("-inf")).logsumexp(0)
        return (log_q.diagonal() - others).mean() + math.log(len(x) - 1)

    def _log_densities(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"]
    ) -> Float[Tensor, "batch batch"]:
        """log q(y_i|x_j) at [j, i], but for the constant that cancels: the square, expanded."""
        centre = y.mean(0).detach()  # the products cancel the less, the nearer to 0 they are
        y, mean, s = y - centre, self.conditional.mean(x) - centre, self.conditional.log_variance(x)
        precision = safe_exp(-s)
        squares = precision @ y.square().T - 2 * (mean * precision) @ y.T
        return -0.5 * (squares + (mean.square() * precision + s).sum(1, keepdim=True))
