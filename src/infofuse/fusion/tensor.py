"""Fusion by the outer product of all views."""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.fusion.layers import TwoLayers


class TensorFusion(nn.Module):
    """relu(W2 relu(W1 dropout(vec(Z)))), Z = [1, h_1] x ... x [1, h_k], of shape (batch, width).

    x is the outer product, so Z holds every view (times the others' ones), every product of two
    views, and so on: prod_m (d_m + 1) numbers a clip. An absent view is a vector of zeros, and
    Z is then zero but for the products of those that are present.

    widths: d_m by name; the views are multiplied in this order.

    Zadeh et al. 2017 (arXiv 1707.07250), section 4.2 (Z) and 4.3 (the network behind it).
    """

    def __init__(self, widths: Mapping[str, int], width: int, dropout: float = 0.0):
        super().__init__()
        self.order, self.width = tuple(widths), width
        size = math.prod(d + 1 for d in widths.values())
        self.layers = TwoLayers(size, width, dropout, torch.relu)

    def forward(
        self, views: Mapping[str, Float[Tensor, "batch _"]]
    ) -> Float[Tensor, "batch width"]:
        return self.layers(outer([views[name] for name in self.order]))


def outer(views: list[Float[Tensor, "batch _"]]) -> Float[Tensor, "batch product"]:
    """vec([1, h_1] x ... x [1, h_k]) of each clip, the last view's index running fastest."""
    z = views[0].new_ones(views[0].shape[0], 1)
    for view in views:
        # A matrix product, whose gradient needs no second tensor of Z's size.
        z = torch.bmm(z[:, :, None], with_one(view)[:, None, :]).flatten(1)
    return z


def with_one(view: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim_plus_1"]:
    """[1, h]."""
    return torch.cat([view.new_ones(view.shape[0], 1), view], dim=1)
