"""Distances between the moments of two views of one width."""

import torch
from jaxtyping import Float
from torch import Tensor

from infofuse.measures.measure import Measure
from infofuse.measures.numerics import covariance, guarded


class CovarianceGap(Measure):
    """||C_x - C_y||_F^2 / (4 d^2), C the covariance normalised by B - 1.

    The distance between second moments, blind to pairing and to the means; x and y have one
    width d. Zero exactly where the covariances agree. In expectation over the truth by the noise
    of both, of order 1/B. Cost linear in the batch. `unit` is the fourth power of the views'.

    Sun and Saenko 2016, Deep CORAL (arXiv 1607.01719), eq. 1-3.
    """

    side = "upper"
    unit = "squared covariance"
    same_width = True
    paper = "arXiv 1607.01719"

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dim"], y: Float[Tensor, "batch dim"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        gap = covariance(x, 0.0) - covariance(y, 0.0)
        return (gap.square().sum() / (4 * x.shape[1] ** 2)).to(x.dtype)


class CMD(Measure):
    """|E x - E y| / s + sum_{k=2..K} |c_k(x) - c_k(y)| / s^k, c_k the k-th central moments.

    The central moment discrepancy: Euclidean norms over coordinates, each of which lies in an
    interval of length s = `span` (1 after a sigmoid, 2 after a tanh). Blind to pairing and to
    dependence between coordinates. Zero exactly where the K moments agree; in expectation over
    the truth, by order 1/sqrt(B). Cost linear in the batch.

    Zellinger et al. 2017 (arXiv 1702.08811), eq. 12.
    """

    side = "upper"
    unit = "span of the views"
    same_width = True
    paper = "arXiv 1702.08811"

    def __init__(self, moments: int = 5, span: float = 1.0):
        super().__init__()
        self.moments, self.span = moments, span

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dim"], y: Float[Tensor, "batch dim"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        scaled_x, scaled_y = x.double() / self.span, y.double() / self.span  # for high powers
        mean_x, mean_y = scaled_x.mean(0), scaled_y.mean(0)
        centred_x, centred_y = scaled_x - mean_x, scaled_y - mean_y
        higher = range(2, self.moments + 1)
        gaps = [centred_x.pow(k).mean(0) - centred_y.pow(k).mean(0) for k in higher]
        norms = torch.linalg.vector_norm(torch.stack([mean_x - mean_y, *gaps]), dim=1)
        return norms.sum().to(x.dtype)
