"""Covariances of two views made alike, or unlike."""

from typing import Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from infofuse.errors import InfofuseError
from infofuse.measures.numerics import covariance, whitened
from infofuse.objectives.objective import Objective, Term
from infofuse.types import Batch, Output

Kind = Literal["marginal", "bounded", "cross"]
SHRINKAGE = 0.1  # of the covariances that whiten


class Alignment(Objective):
    """weight * gap(C) of two views x and y, C the covariance of both side by side.

    C has the blocks C_x, C_y and C_xy, normalised by B - 1. kind:

    * "marginal": ||C_x - C_y||_F^2 / (4 d^2), the distance of deep CORAL. Blind to pairing: it is
      the same when the clips of one view are shuffled.
    * "bounded": 1 - <C_x, C_y> / (||C_x||_F ||C_y||_F), from 0 to 1, whatever the scale of the
      views. Blind to pairing.
    * "cross": 1 - ||C_x^(-1/2) C_xy C_y^(-1/2)||_F^2 / d, from 0, where one view is a linear map
      of the other, to 1, where they are uncorrelated. C_x and C_y are shrunk by 0.1 towards a
      multiple of the identity, so 0 is not quite reached.

    A negative weight pushes the views apart; "marginal", which has no ceiling, takes none. Views
    wider than `width`, by default the narrower one's, are projected to d = `width` by a fixed
    matrix of random orthonormal columns: a learnt one would close the gap by shrinking.

    Of a covariance of k columns (d, and 2d for "cross") a batch of B < k clips knows too little.
    Then C <- (1 - r) C + r C_batch with r = B / k, an exponential mean over some 2k - B clips,
    the gradient passing through C_batch; C is a buffer. Only clips with both views count.

    InfofuseError: a negative weight for "marginal", or a width that a view does not have.
    Sun and Saenko 2016 (arXiv 1607.01719); `infofuse.papers.dma` and docs/dma.md.
    """

    def __init__(
        self,
        views: tuple[str, str],
        widths: tuple[int, int],
        weight: float = 1.0,
        kind: Kind = "marginal",
        *,
        width: int | None = None,
    ):
        super().__init__()
        _check(views, widths, weight, kind, width)
        self.views, self.weight, self.kind = views, weight, kind
        self.width = width or min(widths)
        self.name, self.nonnegative = f"align({';'.join(views)})", weight >= 0
        self.project_x: Tensor
        self.project_y: Tensor
        self.covariance: Tensor
        self.batches: Tensor
        self.register_buffer("project_x", _orthonormal(widths[0], self.width))
        self.register_buffer("project_y", _orthonormal(widths[1], self.width))
        self.register_buffer("covariance", torch.zeros(2 * self.width, 2 * self.width).double())
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))

    def forward(self, output: Output, batch: Batch) -> dict[str, Term]:
        x, y = (output.views[name].float() for name in self.views)
        keep = output.complete(self.views)
        if int(keep.sum()) < 2:
            return {self.name: Term.nothing(output)}
        joined = torch.cat([x[keep] @ self.project_x, y[keep] @ self.project_y], dim=1)
        gap = GAPS[self.kind](*self._blocks(joined)).to(output.prediction.dtype)
        return {self.name: Term(self.weight * gap, gap.detach())}

    def _blocks(self, joined: Float[Tensor, "kept _"]) -> tuple[Float64[Tensor, "d d"], ...]:
        """C_x, C_y and C_xy."""
        c, d = self._smoothed(covariance(joined, 0.0), len(joined)), self.width
        return c[:d, :d], c[d:, d:], c[:d, d:]

    def _smoothed(self, batch: Float64[Tensor, "k k"], clips: int) -> Float64[Tensor, "k k"]:
        rate = min(1.0, clips / self.width / (2 if self.kind == "cross" else 1))
        now = rate * batch + (1 - rate) * self.covariance if self.batches else batch
        if self.training:
            self.covariance.copy_(now.detach())
            self.batches += 1
        return now


def marginal(
    cx: Float64[Tensor, "d d"], cy: Float64[Tensor, "d d"], cxy: Float64[Tensor, "d d"]
) -> Float64[Tensor, ""]:
    """||C_x - C_y||_F^2 / (4 d^2)."""
    return (cx - cy).square().sum() / (4 * len(cx) ** 2)


def bounded(
    cx: Float64[Tensor, "d d"], cy: Float64[Tensor, "d d"], cxy: Float64[Tensor, "d d"]
) -> Float64[Tensor, ""]:
    """1 - <C_x, C_y> / (||C_x||_F ||C_y||_F)."""
    norms = cx.square().sum() * cy.square().sum()
    return 1 - (cx * cy).sum() / norms.clamp(min=1e-30).sqrt()


def cross(
    cx: Float64[Tensor, "d d"], cy: Float64[Tensor, "d d"], cxy: Float64[Tensor, "d d"]
) -> Float64[Tensor, ""]:
    """1 - ||C_x^(-1/2) C_xy C_y^(-1/2)||_F^2 / d, by Cholesky factors of the shrunk blocks."""
    return 1 - whitened(_shrunk(cx), _shrunk(cy), cxy).square().sum() / len(cx)


GAPS = {"marginal": marginal, "bounded": bounded, "cross": cross}


def _shrunk(c: Float64[Tensor, "d d"]) -> Float64[Tensor, "d d"]:
    identity = torch.eye(len(c), dtype=c.dtype, device=c.device)
    return (1 - SHRINKAGE) * c + SHRINKAGE * c.diagonal().mean() * identity


def _orthonormal(dim: int, width: int) -> Float[Tensor, "dim width"]:
    """The identity where the widths agree; else columns drawn at random, the same every time."""
    if dim == width:
        return torch.eye(dim)
    generator = torch.Generator().manual_seed(dim)
    return torch.linalg.qr(torch.randn(dim, width, generator=generator)).Q


def _check(
    views: tuple[str, str], widths: tuple[int, int], weight: float, kind: Kind, width: int | None
) -> None:
    if kind not in GAPS:
        raise ValueError(f"unknown kind of alignment {kind!r}; known: {', '.join(GAPS)}")
    if weight < 0 and kind == "marginal":
        raise InfofuseError(
            f"{' and '.join(views)} have the weight {weight} in the marginal alignment, which can "
            f"be pushed apart without end: use 'bounded' or 'cross', or a positive weight"
        )
    if width is not None and not 1 <= width <= min(widths):
        raise InfofuseError(
            f"{' and '.join(views)} are {widths[0]} and {widths[1]} wide and cannot be projected "
            f"to {width}: give a width from 1 to {min(widths)}"
        )
