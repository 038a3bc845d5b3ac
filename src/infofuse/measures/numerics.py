"""What keeps estimates finite: precision, log-space means, covariances that are never singular."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from jaxtyping import Float, Float64
from torch import Tensor

HALF = (torch.float16, torch.bfloat16)
LARGEST_EXPONENT = 40.0  # exp(40) squared still fits a float32, as Adam needs


def guarded(method: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Run a measure's method outside autocast, on batches that it can answer for.

    Views of half precision are raised to float32; float64 stays. A batch under the measure's
    `min_batch`, or views of different lengths, are refused with a ValueError that names the
    smallest batch.
    """

    @wraps(method)
    def run(self: Any, *views: Tensor, **extra: Any) -> Tensor:
        lengths = sorted({len(v) for v in views})
        if len(lengths) > 1:
            raise ValueError(f"views of the same clips have one length; found {lengths}")
        if lengths[0] < self.min_batch:
            raise ValueError(
                f"{type(self).__name__} needs a batch of at least {self.min_batch} clips; "
                f"found {lengths[0]}"
            )
        with torch.autocast(views[0].device.type, enabled=False):
            return method(self, *(v.float() if v.dtype in HALF else v for v in views), **extra)

    return run


def safe_exp(t: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """exp(t), continued past t = 40 by its tangent: never infinite, and its slope never zero."""
    low = t.clamp(max=LARGEST_EXPONENT)
    return low.exp() * (1 + t - low)


def log_mean_exp(t: Float[Tensor, "*shape"], dim: int) -> Float[Tensor, "*rest"]:
    """ln of the mean of exp(t) over one dimension."""
    return t.logsumexp(dim) - math.log(t.shape[dim])


def off_diagonal(scores: Float[Tensor, "n n"]) -> Float[Tensor, "pairs"]:
    """The n(n-1) scores of pairs of different clips, row by row."""
    n = len(scores)
    return scores.flatten()[:-1].view(n - 1, n + 1)[:, 1:].flatten()


def covariance(x: Float[Tensor, "n d"], shrinkage: float | None = None) -> Float64[Tensor, "d d"]:
    """Shrunk covariance (1-s) C + s (tr C / d) I in float64, with C normalised by n - 1.

    `shrinkage` s lies in [0, 1]; None takes the intensity of Ledoit & Wolf (2004, J.
    Multivariate Analysis 88, eq. 14), through which gradients pass. One row has covariance 0.
    """
    x = x.double()
    n, d = x.shape
    x = x - x.mean(0)
    sample = x.T @ x / max(n - 1, 1)
    s = _ledoit_wolf(x) if shrinkage is None else shrinkage
    identity = torch.eye(d, dtype=x.dtype, device=x.device)
    return (1 - s) * sample + s * sample.trace() / d * identity


def _ledoit_wolf(centred: Float64[Tensor, "n d"]) -> Float64[Tensor, ""]:
    """Noise of the sample covariance over its distance to the nearest multiple of I."""
    n, d = centred.shape
    sample = centred.T @ centred / n
    distance = sample.square().sum() - sample.trace().square() / d
    noise = (centred.square().sum(1).square().sum() / n - sample.square().sum()) / n
    return (noise / distance.clamp(min=1e-60)).clamp(0, 1)


def cholesky(cov: Float64[Tensor, "d d"]) -> Float64[Tensor, "d d"]:
    """Lower triangular factor of a covariance whose diagonal is raised by 1e-10 of its mean.

    So a singular matrix has a factor too, with finite gradients.
    """
    ridge = 1e-10 * cov.diagonal().mean() + 1e-30
    identity = torch.eye(len(cov), dtype=cov.dtype, device=cov.device)
    return torch.linalg.cholesky(cov + ridge * identity)


def logdet(cov: Float64[Tensor, "d d"]) -> Float64[Tensor, ""]:
    """ln det of a covariance by `cholesky`: very negative, never infinite, where singular."""
    return 2 * cholesky(cov).diagonal().log().sum()


def whitened(
    cx: Float64[Tensor, "dx dx"], cy: Float64[Tensor, "dy dy"], cxy: Float64[Tensor, "dx dy"]
) -> Float64[Tensor, "dy dx"]:
    """L_y^(-1) C_xy' L_x^(-T), L the factors by `cholesky`.

    It has the singular values of C_x^(-1/2) C_xy C_y^(-1/2).
    """
    half = torch.linalg.solve_triangular(cholesky(cx), cxy, upper=False)
    return torch.linalg.solve_triangular(cholesky(cy), half.T, upper=False)


def standardised(x: Float[Tensor, "n d"], correction: int = 1) -> Float[Tensor, "n d"]:
    """Columns of mean 0 and variance 1, of any scale; what is constant but for rounding is 0."""
    centred = x - x.mean(0)
    spread = centred.detach().abs().amax(0)
    still = spread <= 16 * torch.finfo(x.dtype).eps * x.detach().abs().amax(0)
    centred = centred / spread.masked_fill(still, float("inf"))  # squares stay in range
    variance = centred.square().sum(0) / max(len(x) - correction, 1)
    return centred / variance.clamp(min=1e-12).sqrt()


def distances(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """Euclidean distances, exact where rows coincide (the gradient is 0 there)."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
