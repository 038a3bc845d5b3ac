"""Views that a classifier cannot tell apart."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.objectives.objective import Objective, Term
from infofuse.types import Batch, Output


class Adversarial(Objective):
    """weight * -E log D(which view | reverse(v)): D learns to tell the views apart, they not to be.

    D(v) = softmax(W2 dropout(relu(W1 v))) over the names of the views, which have one width. Its
    gradient reaches the views with its sign reversed and times `reversal`. E runs over the views
    that clips have.

    Ganin and Lempitsky 2015 (arXiv 1409.7495); between the modalities' shared views Hazarika et
    al. 2020 (arXiv 2005.03545).
    """

    nonnegative = True

    def __init__(
        self,
        views: Sequence[str],
        width: int,
        weight: float = 1.0,
        *,
        reversal: float = 1.0,
        dropout: float = 0.0,
        name: str = "adversarial",
    ):
        super().__init__()
        self.views, self.weight, self.reversal, self.name = tuple(views), weight, reversal, name
        self.discriminator = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, len(views))
        )

    def forward(self, output: Output, batch: Batch) -> dict[str, Term]:
        there = [output.present[name] for name in self.views]
        rows = torch.cat([output.views[n][kept] for n, kept in zip(self.views, there, strict=True)])
        logits = self.discriminator(_Reverse.apply(rows.float(), self.reversal))
        truth = torch.stack(there).nonzero()[:, 0]
        value: Float[Tensor, ""] = F.cross_entropy(logits, truth, reduction="sum")
        value = value / max(len(rows), 1)
        return {self.name: Term(self.weight * value, value.detach())}


class _Reverse(torch.autograd.Function):
    """The identity, whose gradient is -scale times the one that comes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.scale * gradients[0], None
