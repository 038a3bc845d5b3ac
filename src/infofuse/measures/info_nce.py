"""InfoNCE, also called contrastive predictive coding: mutual information by telling pairs apart."""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from infofuse.measures.critics import ScoreBound

Negatives = Literal["y", "x", "both"]


def contrast(
    scores: Float[Tensor, "batch batch"],
    *,
    negatives: Negatives = "y",
    positives: Float[Tensor, "batch batch"] | None = None,
    allowed: Bool[Tensor, "batch batch"] | None = None,
    weights: Float[Tensor, "batch"] | None = None,
) -> Float[Tensor, ""]:
    """The contrastive kernel: E_i[ sum_j p_ij (s_ij - ln 1/B sum_k exp s_ik) ].

    scores: s[i, j] of x_i with y_j; pairs stand on the diagonal. negatives: against which other
    side a pair is held, other y for each x, other x for each y, or the mean of both. positives:
    soft targets p instead of the diagonal, rows summing to one. allowed: False takes a
    combination out of the sum (the pair itself must stay). weights: of each row, normalised here.

    With the defaults a lower bound of I(X; Y) in nats that never exceeds ln B. van den Oord et
    al. 2018 (arXiv 1807.03748), eq. 4; Poole et al. 2019 (arXiv 1905.06922), eq. 12.
    """
    if negatives == "both":
        options = {"positives": positives, "allowed": allowed, "weights": weights}
        return 0.5 * (
            contrast(scores, negatives="y", **options) + contrast(scores, negatives="x", **options)
        )
    if negatives == "x":
        scores = scores.T
        positives = None if positives is None else positives.T
        allowed = None if allowed is None else allowed.T
    count = scores.new_full((len(scores),), len(scores))
    if allowed is not None:
        scores = scores.masked_fill(~allowed, float("-inf"))
        count = allowed.sum(1).to(scores)
    log_ratio = functional.log_softmax(scores, dim=1) + count.log()[:, None]
    if positives is None:
        rows = log_ratio.diagonal()
    else:
        rows = (positives * log_ratio.masked_fill(positives == 0, 0)).sum(1)
    if weights is None:
        return rows.mean()
    return (weights * rows).sum() / weights.sum()


class CosinePrediction(nn.Module):
    """s_ij = cos(G(x_i), y_j) / temperature, G linear: the score of CPC in MMIM.

    Without a temperature (1) the score lives in [-1, 1], and the estimate of a batch of B cannot
    exceed ln B - ln(1 + (B - 1) e^-2): 1.82 nats at B = 32. `learn_temperature` starts from the
    given one. Han et al. 2021 (arXiv 2109.00412), eq. 8-9.
    """

    def __init__(
        self, dim_x: int, dim_y: int, temperature: float = 1.0, learn_temperature: bool = False
    ):
        super().__init__()
        if temperature <= 0:
            raise ValueError(f"a temperature is positive; found {temperature}")
        self.predict = nn.Linear(dim_x, dim_y)
        self.log_temperature = nn.Parameter(
            torch.tensor(math.log(temperature)), requires_grad=learn_temperature
        )

    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"]
    ) -> Float[Tensor, "batch batch"]:
        predicted = functional.normalize(self.predict(x), dim=1)
        return predicted @ functional.normalize(y, dim=1).T / self.log_temperature.exp()

    def ceiling(self, batch: int) -> float:
        """The largest estimate a batch can show: every pair at 1, everything else at -1."""
        spread = 2 / math.exp(self.log_temperature.item())
        return math.log(batch) - math.log1p((batch - 1) * math.exp(-spread))


class InfoNCE(ScoreBound):
    """I(X; Y) >= E_i[ s_ii - ln 1/B sum_k exp s_ik ], never over ln B.

    A lower bound for any critic s, with little variance and a ceiling: `ceiling(batch)`. Its cost
    is one (B, B) matrix of scores. Fails, by reading low, where I(X; Y) is near ln B or over it.

    `critic(x, y)` gives the scores of all pairs, (batch, batch); by default `InnerProduct`.
    negatives: as in `contrast`. van den Oord et al. 2018 (arXiv 1807.03748).
    """

    side = "lower"
    paper = "arXiv 1807.03748"

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        *,
        negatives: Negatives = "y",
        critic: nn.Module | None = None,
        hidden: int = 128,
    ):
        super().__init__(dim_x, dim_y, critic=critic, hidden=hidden)
        self.negatives: Negatives = negatives

    def of_scores(self, scores: Float[Tensor, "batch batch"]) -> Float[Tensor, ""]:
        return contrast(scores, negatives=self.negatives)

    def ceiling(self, batch: int) -> float:
        """The most that a batch of this size can show, in nats."""
        limit = getattr(self.critic, "ceiling", math.log)
        return limit(batch)


class CPC(InfoNCE):
    """InfoNCE between a context and what it predicts, s = cos(G(x), y) / temperature.

    x is the context (MMIM's fusion result Z), y the target (a modality's representation), and
    the negatives are other targets. Han et al. 2021 (arXiv 2109.00412), eq. 8-10.
    """

    paper = "arXiv 1807.03748; arXiv 2109.00412"

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        *,
        temperature: float = 1.0,
        learn_temperature: bool = False,
        negatives: Negatives = "y",
    ):
        critic = CosinePrediction(dim_x, dim_y, temperature, learn_temperature)
        super().__init__(dim_x, dim_y, critic=critic, negatives=negatives)
