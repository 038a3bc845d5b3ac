"""Mutual information through the duals of f-divergences: NWJ, JS and SMILE."""

import math

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from infofuse.measures.critics import ScoreBound
from infofuse.measures.donsker_varadhan import donsker_varadhan
from infofuse.measures.numerics import off_diagonal, safe_exp


def nguyen_wainwright_jordan(
    joint: Float[Tensor, "n"], product: Float[Tensor, "m"]
) -> Float[Tensor, ""]:
    """E_joint[T] - E_product[exp(T - 1)], the dual of KL, in nats; tight at T = 1 + ln p/q."""
    return joint.mean() - safe_exp(product - 1).mean()


def jensen_shannon(joint: Float[Tensor, "n"], product: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """ln 2 - (E_joint[softplus(-T)] + E_product[softplus(T)]) / 2, in nats; tight at T = ln p/q."""
    return math.log(2) - 0.5 * (softplus(-joint).mean() + softplus(product).mean())


def pearson(joint: Float[Tensor, "n"], product: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """E_joint[T] - E_product[T^2 / 4 + T], the dual of chi^2 = E_q[(p/q - 1)^2]."""
    return joint.mean() - (0.25 * product.square() + product).mean()


def squared_hellinger(joint: Float[Tensor, "n"], product: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """E_joint[1 - exp(-T)] - E_product[exp(T) - 1], the dual of E_q[(sqrt(p/q) - 1)^2] <= 2."""
    return (1 - safe_exp(-joint)).mean() - (safe_exp(product) - 1).mean()


def with_gradient_of(surrogate: Float[Tensor, ""], value: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """`value`, whose gradient is that of `surrogate`."""
    return surrogate + (value - surrogate).detach()


class NWJ(ScoreBound):
    """I(X; Y) >= E_p(x,y)[T] - E_p(x)p(y)[exp(T - 1)].

    A lower bound in expectation for any critic and any batch: unlike Donsker-Varadhan it has no
    logarithm of a mean, hence no bias. Also named f-GAN KL and MINE-f. Negatives are all pairs
    of different clips: cost B^2 scores. No ceiling; the variance grows as exp(I), so it fails, by
    jumping, beyond a few nats.

    Nguyen, Wainwright and Jordan 2010 (arXiv 0809.0853); Nowozin et al. 2016 (arXiv 1606.00709),
    eq. 4 with Table 2; Poole et al. 2019 (arXiv 1905.06922), eq. 5.
    """

    side = "lower"
    paper = "arXiv 0809.0853; arXiv 1606.00709"

    def of_scores(self, scores: Float[Tensor, "batch batch"]) -> Float[Tensor, ""]:
        return nguyen_wainwright_jordan(scores.diagonal(), off_diagonal(scores))


class JS(ScoreBound):
    """E_p(x,y)[T] in nats, T the log density ratio ln p(x,y) / p(x)p(y) fitted by the JS dual.

    An estimate, not a bound: it is right where T is. The gradient, for the critic and for the
    views, is that of -E_p(x,y)[softplus(-T)] - E_p(x)p(y)[softplus(T)], which but for a constant
    is twice the Jensen-Shannon divergence. It is bounded, so fitting is stable where NWJ's is
    not. Cost B^2 scores; no ceiling.

    The same critic could be read by the NWJ bound, E_p(x,y)[T] - E_p(x)p(y)[exp T] + 1. Nothing
    in the fitting holds exp T down, so that bound is loose and varies without measure at 4 nats;
    `SMILE` reads it by a clipped Donsker-Varadhan.

    Hjelm et al. 2019 (arXiv 1808.06670), eq. 4; for reading T as the log ratio Nowozin et al.
    2016 (arXiv 1606.00709), sec. 2.
    """

    side = "estimate"
    paper = "arXiv 1808.06670"

    def of_scores(self, scores: Float[Tensor, "batch batch"]) -> Float[Tensor, ""]:
        joint, product = scores.diagonal(), off_diagonal(scores)
        return with_gradient_of(2 * jensen_shannon(joint, product), joint.mean())


class SMILE(ScoreBound):
    """E_p(x,y)[T] - ln E_p(x)p(y)[clip(exp T, exp(-tau), exp(tau))], with T fitted as in `JS`.

    An estimate, not a bound: the clipping trades Donsker-Varadhan's variance for a bias upwards,
    as large as the mass of exp T beyond exp(tau). As `tau` grows it becomes Donsker-Varadhan's
    value. The gradient is that of `JS`. Cost B^2 scores; no ceiling.

    Song and Ermon 2020 (arXiv 1910.06222), eq. 19 and their released code for the fitting.
    """

    side = "estimate"
    paper = "arXiv 1910.06222"

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        *,
        tau: float = 5.0,
        critic: nn.Module | None = None,
        hidden: int = 128,
    ):
        super().__init__(dim_x, dim_y, critic=critic, hidden=hidden)
        self.tau = tau

    def of_scores(self, scores: Float[Tensor, "batch batch"]) -> Float[Tensor, ""]:
        joint, product = scores.diagonal(), off_diagonal(scores)
        value = donsker_varadhan(joint, product.clamp(-self.tau, self.tau))
        return with_gradient_of(2 * jensen_shannon(joint, product), value)
