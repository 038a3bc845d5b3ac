"""Fusion by concatenation."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.fusion.layers import TwoLayers


class ConcatFusion(nn.Module):
    """Z = f(W2 f(W1 dropout([h_1, ..., h_k]))), f = tanh by default, of shape (batch, width).

    widths: of each view, by name; the views are joined in this order. An absent view is a vector
    of zeros. Han et al. 2021 (arXiv 2109.00412), section 3.2; see `TwoLayers`.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        width: int,
        dropout: float = 0.0,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
    ):
        super().__init__()
        self.order, self.width = tuple(widths), width
        self.layers = TwoLayers(sum(widths.values()), width, dropout, activation)

    def forward(
        self, views: Mapping[str, Float[Tensor, "batch _"]]
    ) -> Float[Tensor, "batch width"]:
        return self.layers(torch.cat([views[name] for name in self.order], dim=1))
