"""Fusion through a few tokens that all modalities share."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from infofuse.errors import InfofuseError
from infofuse.fusion.attention import Block, Dropouts, sinusoids
from infofuse.types import Padded


class BottleneckFusion(nn.Module):
    """[x_m; z_m] = B_m([x_m; z]), z = mean of the z_m: modalities meet in the tokens z alone.

    Each modality's steps, after a [CLS] token of its own, go through transformer layers B_m of
    its own; from layer `fuse_from` on (counted from 0) with the `tokens` bottleneck tokens beside
    them. h_m is the state of its [CLS], fused the mean of the h_m. A modality that a clip lacks
    is in neither mean. The cost is quadratic in the length of each modality, not of all together.

    MBT: Nagrani et al. 2021 (arXiv 2107.00135), eq. 8-9 and sec. 3.3.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        width: int,
        heads: int,
        layers: int,
        *,
        fuse_from: int,
        tokens: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
    ):
        super().__init__()
        if not 0 <= fuse_from < layers or tokens < 1:
            raise InfofuseError(
                f"fusion by at least 1 token begins in one of the layers 0 to {layers - 1}; found "
                f"{tokens} and {fuse_from}"
            )
        self.order, self.fuse_from, self.width = tuple(widths), fuse_from, width
        dropouts = Dropouts(attention_dropout, dropout, dropout)
        self.project = nn.ModuleDict({m: nn.Linear(widths[m], width) for m in widths})
        self.first = nn.ParameterDict({m: _token(1, width) for m in widths})
        self.bottleneck = _token(tokens, width)
        self.layers = nn.ModuleList(
            nn.ModuleDict({m: Block(width, heads, dropouts, F.gelu) for m in widths})
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, sequences: Mapping[str, Padded]) -> dict[str, Float[Tensor, "batch _"]]:
        states = {m: self._begin(m, sequences[m]) for m in self.order}
        allowed = {m: _and_first(sequences[m]) for m in self.order}
        present = {m: sequences[m].present for m in self.order}
        shared = self.bottleneck.expand(states[self.order[0]].shape[0], -1, -1)
        layers: list[Any] = list(self.layers)
        for number, layer in enumerate(layers):
            if number < self.fuse_from:
                states = {m: layer[m](x, allowed[m][:, None]) for m, x in states.items()}
            else:
                states, shared = self._meet(layer, states, allowed, present, shared)
        views = {m: self.norm(x[:, 0]) * present[m][:, None] for m, x in states.items()}
        return views | {"fused": _mean(views, present)}

    def _begin(self, name: str, x: Padded) -> Float[Tensor, "batch steps width"]:
        """[CLS] and the projected steps, each with its position."""
        steps = self.project[name](x.values)
        joined = torch.cat([self.first[name].expand(steps.shape[0], -1, -1), steps], dim=1)
        return joined + sinusoids(*joined.shape[1:]).to(joined)

    def _meet(
        self,
        layer: Any,
        states: Mapping[str, Tensor],
        allowed: Mapping[str, Tensor],
        present: Mapping[str, Tensor],
        shared: Float[Tensor, "batch tokens width"],
    ) -> tuple[dict[str, Tensor], Float[Tensor, "batch tokens width"]]:
        """One layer of each modality with the bottleneck tokens, which are averaged after it."""
        found, tokens = {}, {}
        for m, x in states.items():
            mask = F.pad(allowed[m], (0, shared.shape[1]), value=True)
            both = layer[m](torch.cat([x, shared], dim=1), mask[:, None])
            found[m], tokens[m] = both[:, : x.shape[1]], both[:, x.shape[1] :]
        return found, _mean(tokens, present)


def _token(count: int, width: int) -> nn.Parameter:
    return nn.Parameter(0.02 * torch.randn(count, width))


def _and_first(x: Padded) -> Bool[Tensor, "batch steps"]:
    """The real steps, and the token before them, which every clip has."""
    return F.pad(x.mask, (1, 0), value=True)


def _mean(
    parts: Mapping[str, Float[Tensor, "batch *width"]], present: Mapping[str, Bool[Tensor, "batch"]]
) -> Float[Tensor, "batch *width"]:
    """The mean over the modalities that each clip has, zeros for a clip that has none."""
    first = next(iter(parts.values()))
    weights = torch.stack([present[m] for m in parts], dim=1).to(first.dtype)
    weights = weights / weights.sum(1, keepdim=True).clamp(min=1)
    stacked = torch.stack(list(parts.values()), dim=-1)
    return (stacked * weights.view(weights.shape[0], *[1] * (first.ndim - 1), -1)).sum(-1)
