"""Yardsticks without a network: nearest neighbours and kernel densities."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from infofuse.measures.entropy import Entropy
from infofuse.measures.measure import Measure
from infofuse.measures.numerics import distances, guarded, standardised

CHUNK = 1024  # rows of the distance matrix held at once


class KSG(Measure):
    """psi(k) + (m-1) psi(N) - E_i[ psi(n_1i + 1) + ... + psi(n_mi + 1) ] in nats, for m views.

    n_vi counts the clips nearer to clip i in view v than its k-th neighbour is in all views at
    once (maximum norm): estimator 1 of Kraskov et al. For two views it is I(X; Y), for more the
    total correlation. Views are standardised first, column by column. For evaluation only: the
    counts are constant almost everywhere, so there is no gradient, and asking for one is an
    error. Cost N^2 distances. Reads low from about 3 nats or 5 dimensions on (Gao et al. 2015,
    arXiv 1411.2003), and fails on ties: add noise to discrete views.

    Kraskov, Stögbauer and Grassberger 2004 (arXiv cond-mat/0305641), eq. 8 and 23.
    """

    side = "estimate"
    pairs_cost = True
    many_views = True
    min_batch = 5  # k + 2, of the default k
    paper = "arXiv cond-mat/0305641"

    def __init__(self, k: int = 3):
        super().__init__()
        self.k, self.min_batch = k, k + 2  # type: ignore[misc]

    @guarded
    def forward(self, *views: Float[Tensor, "batch _"], **extra: Tensor) -> Float[Tensor, ""]:
        if torch.is_grad_enabled() and any(v.requires_grad for v in views):
            raise ValueError("KSG counts neighbours and has no gradient; detach the views first")
        n = len(views[0])
        scaled = [standardised(v) for v in views]
        digammas = torch.cat(
            [self._digammas(scaled, slice(i, i + CHUNK)) for i in range(0, n, CHUNK)]
        )
        constants = torch.tensor([self.k, n]).to(views[0]).digamma()
        return constants[0] + (len(views) - 1) * constants[1] - digammas.mean()

    def _digammas(
        self, views: list[Float[Tensor, "batch _"]], rows: slice
    ) -> Float[Tensor, "rows"]:
        """Sum over views of psi(n_vi + 1), for some clips i."""
        apart = torch.stack([torch.cdist(v[rows], v, p=float("inf")) for v in views])
        # The clip itself is at distance 0, hence k + 1 here, and is the + 1 of each count.
        radius = apart.amax(0).kthvalue(self.k + 1, dim=1, keepdim=True).values
        return (apart < radius).sum(-1).clamp(min=1).to(apart).digamma().sum(0)


class KozachenkoLeonenko(Entropy):
    """H = psi(N) - psi(k) + ln V_d + d E_i[ln r_i] in nats, r_i to the k-th nearest neighbour.

    V_d is the volume of the unit ball in d dimensions. Nearly free of bias in few dimensions; in
    many, or with repeated clips (r = 0, counted as 1e-30), it reads low. Differentiable almost
    everywhere. Cost N^2 distances.

    Kozachenko and Leonenko 1987; Kraskov et al. 2004 (arXiv cond-mat/0305641), eq. 20.
    """

    def __init__(self, k: int = 3):
        super().__init__()
        self.k, self.min_batch = k, k + 1

    @guarded
    def forward(self, y: Float[Tensor, "batch dim"], **extra: Tensor) -> Float[Tensor, ""]:
        n, d = y.shape
        radius = distances(y, y).kthvalue(self.k + 1, dim=1).values  # the clip itself is first
        log_volume = 0.5 * d * math.log(math.pi) - math.lgamma(1 + d / 2)
        psi_k, psi_n = torch.tensor([self.k, n]).to(y).digamma()
        return psi_n - psi_k + log_volume + d * radius.clamp(min=1e-30).log().mean()


class KernelDensityEntropy(Entropy):
    """H = -E_i[ ln 1/(N-1) sum_{j != i} N(y_i; y_j, diag h^2) ] in nats.

    Over the truth in expectation, as any cross-entropy is. Bandwidths h_k by Scott's rule,
    `factor` times the standard deviation of coordinate k times N^(-1/(d+4)). Differentiable, the
    bandwidths too. Loose in many dimensions. Cost N^2 densities.

    Rosenblatt 1956; leave-one-out as in Hall and Morton 1993.
    """

    min_batch = 2

    def __init__(self, factor: float = 1.0):
        super().__init__()
        self.factor = factor

    @guarded
    def forward(self, y: Float[Tensor, "batch dim"], **extra: Tensor) -> Float[Tensor, ""]:
        n, d = y.shape
        h = self.factor * n ** (-1 / (d + 4)) * y.var(0).clamp(min=1e-12).sqrt()
        exponents = -0.5 * distances(y / h, y / h).square()
        own = torch.eye(n, dtype=torch.bool, device=y.device)
        log_mean = exponents.masked_fill(own, float("-inf")).logsumexp(1).mean() - math.log(n - 1)
        return 0.5 * d * math.log(2 * math.pi) + h.log().sum() - log_mean
