"""Dependence and distance by kernels and by pairwise distances."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from infofuse.measures.gram import (
    centred_correlation,
    double_centred,
    gaussian,
    median_bandwidth,
    u_centred,
)
from infofuse.measures.measure import Measure
from infofuse.measures.numerics import distances, guarded, off_diagonal

Kernel = Literal["rbf", "linear"]


class _Centred(Measure):
    """Measures of two centred matrices, one a view; `unbiased` ones need four clips."""

    side = "estimate"
    pairs_cost = True

    def __init__(self, unbiased: bool):
        super().__init__()
        self.unbiased = unbiased
        if unbiased:
            self.min_batch = 4  # type: ignore[misc]

    def centred(self, k: Float[Tensor, "n n"]) -> Float[Tensor, "n n"]:
        return u_centred(k) if self.unbiased else double_centred(k)


class _Kernelled(_Centred):
    """The same, of Gram matrices."""

    def __init__(
        self, kernel: Kernel = "rbf", *, bandwidth: float | None = None, unbiased: bool = False
    ):
        if kernel not in ("rbf", "linear"):
            raise ValueError(f"unknown kernel {kernel!r}; known: rbf, linear")
        super().__init__(unbiased)
        self.kernel, self.bandwidth = kernel, bandwidth

    def gram(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
        """Centred Gram matrix of a view."""
        if self.kernel == "linear":
            x = x - x.mean(0)
            return self.centred(x @ x.T)
        d = distances(x, x)
        return self.centred(gaussian(d, self.bandwidth or median_bandwidth(d)))


class HSIC(_Kernelled):
    """tr(K H L H) / (B - 1)^2: the squared covariance of the views in feature space.

    K and L are Gram matrices of exp(-|x - x'|^2 / 2 sigma^2), sigma the median distance of the
    batch unless `bandwidth` is given, or linear: then the sum of squared cross-covariances,
    ||C_xy||_F^2. With the rbf zero in the limit exactly under independence; on a batch biased
    upwards by O(1/B) unless `unbiased`, when it may be negative. Cost B^2 kernels.

    Gretton et al. 2005; unbiased: Song et al. 2012, J. Machine Learning Research 13, eq. 5.
    """

    unit = "squared kernel covariance"
    paper = "Gretton et al. 2005"

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        n = len(x)
        count = n * (n - 3) if self.unbiased else (n - 1) ** 2
        return (self.gram(x) * self.gram(y)).sum() / count


class CKA(_Kernelled):
    """HSIC(x, y) / sqrt(HSIC(x, x) HSIC(y, y)), from 0 to 1: similarity of representations.

    Unchanged by rotation and scaling of a view. Linear or rbf kernels as in `HSIC`. On a batch it
    reads far too high where B is not much larger than the widths; `unbiased` (debiased CKA) does
    not, and may be negative. Cost B^2 kernels.

    Kornblith et al. 2019 (arXiv 1905.00414), eq. 4; debiased: Nguyen et al. 2021 (arXiv
    2010.15327), eq. 3.
    """

    unit = "correlation"
    paper = "arXiv 1905.00414"

    def __init__(
        self, kernel: Kernel = "linear", *, bandwidth: float | None = None, unbiased: bool = False
    ):
        super().__init__(kernel, bandwidth=bandwidth, unbiased=unbiased)

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        return centred_correlation(self.gram(x), self.gram(y))


class DistanceCorrelation(_Centred):
    """sqrt( <A, B> / sqrt(<A, A> <B, B>) ), A and B the double-centred distance matrices.

    From 0, in the limit exactly under independence, to 1. Unchanged by rotation and scaling of a
    view. On a batch it reads high; `unbiased` gives instead the squared, bias-corrected
    statistic, which may be negative. Cost B^2 distances.

    Székely, Rizzo and Bakirov 2007 (arXiv 0803.4101), def. 3-4; unbiased: Székely and Rizzo 2013.
    """

    unit = "correlation"
    paper = "arXiv 0803.4101"

    def __init__(self, unbiased: bool = False):
        super().__init__(unbiased)

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        squared = centred_correlation(self.centred(distances(x, x)), self.centred(distances(y, y)))
        return squared if self.unbiased else squared.clamp(min=1e-12).sqrt()


class MMD(Measure):
    """E k(x, x') + E k(y, y') - 2 E k(x, y): squared maximum mean discrepancy.

    The distance between the laws of x and y, which have one width; blind to pairing. Means run
    over pairs of different clips within a view and over all pairs across, so it is unbiased and
    may be negative. k(a, b) = exp(-|a - b|^2 / 2 sigma^2), sigma the median distance of both
    views together unless `bandwidth` is given. Cost B^2 kernels.

    Gretton et al. 2012, J. Machine Learning Research 13, eq. 3.
    """

    side = "estimate"
    unit = "squared distance of kernel means"
    pairs_cost = True
    same_width = True
    paper = "Gretton et al. 2012"

    def __init__(self, bandwidth: float | None = None):
        super().__init__()
        self.bandwidth = bandwidth

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dim"], y: Float[Tensor, "batch dim"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        n, both = len(x), torch.cat([x, y])
        d = distances(both, both)
        k = gaussian(d, self.bandwidth or median_bandwidth(d))
        within = off_diagonal(k[:n, :n]).mean() + off_diagonal(k[n:, n:]).mean()
        return within - 2 * k[:n, n:].mean()
