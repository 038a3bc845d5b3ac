"""Fusion by the outer product of all views, its weights of low rank."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.fusion.tensor import with_one


class LowRankFusion(nn.Module):
    """Z = dropout(sum_r w_r prod_m [1, h_m] W_m^(r)) + b, of shape (batch, width).

    The product is elementwise. It equals a linear layer on TFN's tensor (see `TensorFusion`)
    whose weights have CP rank `rank`, at a cost linear in the number of modalities. An absent
    view is a vector of zeros, and its factor is then its bias row.

    widths: of each view, by name. rank: of the weights.

    Liu et al. 2018 (arXiv 1806.00064), section 3. The paper sums over r; the weights w_r are
    those of its released code. Each W_m^(r) starts from Glorot's normal distribution. (The released
    code draws all r as one tensor, whose fans count rank and width too: it starts lower.)
    """

    def __init__(self, widths: Mapping[str, int], width: int, rank: int, dropout: float = 0.0):
        super().__init__()
        if rank < 1:
            raise ValueError(f"the rank is at least 1; found {rank}")
        self.width = width
        self.factors = nn.ParameterDict(
            {name: nn.Parameter(torch.empty(rank, d + 1, width)) for name, d in widths.items()}
        )
        self.weights = nn.Parameter(torch.empty(1, rank))
        self.bias = nn.Parameter(torch.zeros(width))
        self.dropout = nn.Dropout(dropout)
        for matrix in [self.weights, *(m for factor in self.factors.values() for m in factor)]:
            nn.init.xavier_normal_(matrix)

    def forward(
        self, views: Mapping[str, Float[Tensor, "batch _"]]
    ) -> Float[Tensor, "batch width"]:
        product = torch.ones((), device=self.bias.device)
        for name, factor in self.factors.items():
            product = product * torch.matmul(with_one(views[name]), factor)
        return self.dropout(torch.einsum("r,rbw->bw", self.weights[0], product)) + self.bias
