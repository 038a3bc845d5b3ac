"""Fusion that shifts the states of a language model by what goes along with the words."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from infofuse.fusion.align import pool
from infofuse.types import Padded


class AdaptationGate(nn.Module):
    """z' = dropout LN(z + min(shift |z| / |h|, 1) h), h = sum_m relu(R_m [z, x_m]) * W_m x_m + b.

    z: states of tokens; x_m: what modality m has beside each. A modality that a clip lacks adds
    nothing to h, and where it lacks all h is 0. release: with a bias of its own in each W_m,
    inside the gate, instead of b.

    widths: of each x_m, by name. MAG: Rahman et al. 2020 (arXiv 1908.05787), eq. 1-5.
    """

    def __init__(
        self,
        width: int,
        widths: Mapping[str, int],
        *,
        shift: float,
        dropout: float = 0.0,
        release: bool = False,
    ):
        super().__init__()
        self.shift = shift
        self.gate = nn.ModuleDict({m: nn.Linear(width + w, width) for m, w in widths.items()})
        self.value = nn.ModuleDict(
            {m: nn.Linear(w, width, bias=release) for m, w in widths.items()}
        )
        self.bias = None if release or not widths else nn.Parameter(torch.zeros(width))
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(dropout)

    def forward(
        self,
        z: Float[Tensor, "tokens width"],
        beside: Mapping[str, Float[Tensor, "tokens _"]],
        present: Mapping[str, Bool[Tensor, "tokens"]],
    ) -> Float[Tensor, "tokens width"]:
        h = self._displacement(z, beside, present)
        ratio = z.norm(dim=1, keepdim=True) / h.norm(dim=1, keepdim=True).clamp(min=1e-6)
        return self.dropout(self.norm(z + (self.shift * ratio).clamp(max=1) * h))

    def _displacement(
        self,
        z: Float[Tensor, "tokens width"],
        beside: Mapping[str, Float[Tensor, "tokens _"]],
        present: Mapping[str, Bool[Tensor, "tokens"]],
    ) -> Float[Tensor, "tokens width"]:
        h = torch.zeros_like(z)
        for m, x in beside.items():
            gate = F.relu(self.gate[m](torch.cat([z, x], dim=1)))
            h = h + gate * self.value[m](x) * present[m][:, None]
        if self.bias is None:
            return h
        return h + self.bias * torch.stack(list(present.values())).any(0)[:, None]


def beside_words(
    x: Padded, word: Int[Tensor, "batch tokens"], words: Int[Tensor, "batch"]
) -> Float[Tensor, "batch tokens width"]:
    """What stands beside the word of each token, if the clip's frames are pooled to its words.

    So the tokens of a word share its frame, where there is one a word; see `pool`. word: each
    token's, counted from 0, negative for a token that is no part of a word, which gets zeros.
    words: how many the clip has.
    """
    clips = torch.arange(word.shape[0], device=word.device)[:, None]
    return pool(x, words)[clips, word.clamp(min=0)] * (word >= 0)[:, :, None]
