"""Fusion by concatenation."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ConcatFusion(nn.Module):
    """Z = tanh(W2 tanh(W1 dropout([h_1, ..., h_k]))), of shape (batch, width).

    widths: of each view, by name; the views are joined in this order. An absent view is a vector
    of zeros. Han et al. 2021 (arXiv 2109.00412), section 3.2; the subnetwork of TFN
    (arXiv 1707.07250).
    """

    def __init__(self, widths: Mapping[str, int], width: int, dropout: float = 0.0):
        super().__init__()
        self.order, self.width = tuple(widths), width
        self.dropout = nn.Dropout(dropout)
        self.first = nn.Linear(sum(widths.values()), width)
        self.second = nn.Linear(width, width)

    def forward(
        self, views: Mapping[str, Float[Tensor, "batch _"]]
    ) -> Float[Tensor, "batch width"]:
        joined = self.dropout(torch.cat([views[name] for name in self.order], dim=1))
        return torch.tanh(self.second(torch.tanh(self.first(joined))))
