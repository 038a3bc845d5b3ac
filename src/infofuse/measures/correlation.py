"""Linear dependence: canonical correlations, the Gaussian's information, redundancy reduction."""

from itertools import accumulate, pairwise
from typing import Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from infofuse.measures.measure import Measure
from infofuse.measures.numerics import covariance, guarded, logdet, standardised, whitened


class CanonicalCorrelation(Measure):
    """sum_k rho_k^2 = ||C_x^(-1/2) C_xy C_y^(-1/2)||_F^2, rho the canonical correlations.

    From 0 to the smaller width; unchanged by invertible linear maps of a view, up to shrinkage.
    The covariance of both views together is shrunk by `shrinkage`, by Ledoit and Wolf's rule if
    None, after each column is standardised. Sees linear dependence only; reads high by the noise
    of about d_x d_y / B terms. Cost linear in the batch. power: 1 gives sum_k rho_k, the trace
    norm of the same matrix.

    Hotelling 1936; as an objective, with power 1, Andrew et al. 2013, Deep CCA, sec. 3.
    """

    side = "estimate"
    unit = "squared correlation"
    paper = "Hotelling 1936"

    def __init__(self, shrinkage: float | None = None, power: Literal[1, 2] = 2):
        super().__init__()
        self.shrinkage, self.power = shrinkage, power

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        joint, d = joint_covariance(x, y, shrinkage=self.shrinkage), x.shape[1]
        found = whitened(joint[:d, :d], joint[d:, d:], joint[:d, d:])
        if self.power == 1:
            return torch.linalg.svdvals(found).sum().to(x.dtype)
        return found.square().sum().to(x.dtype)


class GaussianInformation(Measure):
    """(sum_v ln det C_v - ln det C) / 2 in nats, C the covariance of all views together.

    For two views -1/2 sum_k ln(1 - rho_k^2), rho the canonical correlations: the mutual
    information of Gaussians, and for more views their total correlation. Not a bound for other
    laws. Covariances are shrunk as in `CanonicalCorrelation`, logdets are in float64. Reads high
    by about d_x d_y / (2B) without shrinkage. Cost linear in the batch.

    Gelfand and Yaglom 1957.
    """

    side = "estimate"
    many_views = True
    paper = "Gelfand and Yaglom 1957"

    def __init__(self, shrinkage: float | None = None):
        super().__init__()
        self.shrinkage = shrinkage

    @guarded
    def forward(self, *views: Float[Tensor, "batch _"], **extra: Tensor) -> Float[Tensor, ""]:
        joint = joint_covariance(*views, shrinkage=self.shrinkage)
        bounds = accumulate((v.shape[1] for v in views), initial=0)
        blocks = [joint[a:b, a:b] for a, b in pairwise(bounds)]
        marginal = torch.stack([logdet(block) for block in blocks]).sum()
        return (0.5 * (marginal - logdet(joint))).to(views[0].dtype)


class BarlowTwins(Measure):
    """sum_i (1 - C_ii)^2 + lambda sum_{i != j} C_ij^2, C the cross-correlation of x with y.

    A distance of C from the identity: zero where each coordinate agrees with its twin and is
    uncorrelated with the others. x and y have one width. Unchanged by scaling and shifting
    single coordinates. Cost linear in the batch.

    Zbontar et al. 2021 (arXiv 2103.03230), eq. 1-2; lambda as in sec. 2.2.
    """

    side = "upper"
    unit = "squared correlation"
    same_width = True
    paper = "arXiv 2103.03230"

    def __init__(self, redundancy: float = 0.005):
        super().__init__()
        self.redundancy = redundancy

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dim"], y: Float[Tensor, "batch dim"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        c = standardised(x, correction=0).T @ standardised(y, correction=0) / len(x)
        diagonal = c.diagonal()
        others = c.square().sum() - diagonal.square().sum()
        return (1 - diagonal).square().sum() + self.redundancy * others


class VICReg(Measure):
    """25 E|x - y|^2 / d + 25 (v(x) + v(y)) + c(x) + c(y): invariance, variance, covariance.

    v(z) = 1/d sum_k max(0, 1 - sqrt(var z_k + 1e-4)) keeps coordinates from collapsing;
    c(z) = 1/d sum_{i != j} C(z)_ij^2 keeps them from saying the same. A distance, zero for equal
    views of uncorrelated coordinates with deviation 1 or more. x and y have one width d. The
    weights are `invariance`, `variance` and `covariance`. Cost linear in the batch.

    Bardes, Ponce and LeCun 2022 (arXiv 2105.04906), eq. 1-6. The 1/d of the first term is that of
    their code, where eq. 5 sums over coordinates; their code also halves the variance term.
    """

    side = "estimate"
    unit = "weighted squares"
    same_width = True
    paper = "arXiv 2105.04906"

    def __init__(self, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0):
        super().__init__()
        self.invariance, self.variance, self.covariance = invariance, variance, covariance

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dim"], y: Float[Tensor, "batch dim"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        apart = (x - y).square().mean()
        collapse = sum((1 - (z.var(0) + 1e-4).sqrt()).clamp(min=0).mean() for z in (x, y))
        redundant = sum(_off_diagonal_squares(covariance(z, 0.0)) for z in (x, y)) / x.shape[1]
        terms = self.invariance * apart + self.variance * collapse + self.covariance * redundant
        return terms.to(x.dtype)


def joint_covariance(
    *views: Float[Tensor, "n _"], shrinkage: float | None
) -> Float64[Tensor, "d d"]:
    """Shrunk correlation matrix of all views' columns side by side."""
    return covariance(standardised(torch.cat(views, 1).double()), shrinkage)


def _off_diagonal_squares(c: Float64[Tensor, "d d"]) -> Float64[Tensor, ""]:
    return c.square().sum() - c.diagonal().square().sum()
