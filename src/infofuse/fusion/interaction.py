"""Fusion by convolution over the outer products of one modality with each other."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class InteractionFusion(nn.Module):
    """k_m = W_m CNN_m(h_first h_m^T) for each m but the first, fused = [h_first, k_2, k_3, ...].

    CNN: two layers of 3 x 3 convolution, relu and 2 x 2 maximum, with 4 and 8 channels. Views: the
    h_m, "first_m" for k_m by the modalities' names, and "fused". k_m is zero for a clip that lacks
    either of its modalities.

    ICCN: Sun et al. 2020 (arXiv 1911.05544), whose first modality is text. Sizes of the CNN are
    ours.
    """

    def __init__(self, widths: Mapping[str, int], width: int):
        super().__init__()
        self.first, *self.others = widths
        self.interactions = tuple(f"{self.first}_{m}" for m in self.others)
        rows = widths[self.first]
        self.interact = nn.ModuleDict(
            {m: _convolution(rows, widths[m], width) for m in self.others}
        )
        self.width = rows + len(self.others) * width

    def forward(
        self,
        vectors: Mapping[str, Float[Tensor, "batch _"]],
        present: Mapping[str, Bool[Tensor, "batch"]],
    ) -> tuple[dict[str, Float[Tensor, "batch _"]], dict[str, Bool[Tensor, "batch"]]]:
        views, there = dict(vectors), dict(present)
        for m, name in zip(self.others, self.interactions, strict=True):
            product = vectors[self.first][:, :, None] * vectors[m][:, None, :]
            there[name] = present[self.first] & present[m]
            views[name] = self.interact[m](product[:, None]) * there[name][:, None]
        parts = [views[name] for name in (self.first, *self.interactions)]
        return views | {"fused": torch.cat(parts, dim=1)}, there


def _convolution(rows: int, columns: int, width: int) -> nn.Sequential:
    def half(n: int) -> int:
        return -(-n // 2)

    layers = [
        layer
        for before, after in ((1, 4), (4, 8))
        for layer in (
            nn.Conv2d(before, after, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
        )
    ]
    flat = 8 * half(half(rows)) * half(half(columns))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(flat, width))
