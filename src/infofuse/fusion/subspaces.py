"""Fusion of what modalities share and what each has for itself."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn


class SubspaceFusion(nn.Module):
    """u_m = LN relu(W_m h_m), p_m = sigmoid(P_m u_m), c_m = sigmoid(C u_m), fused = relu W T(p, c).

    The private p_m have a layer each, the shared c_m one in common. T is one transformer layer
    over the 2k vectors p_1 ... p_k, c_1 ... c_k of a clip, which come out side by side; W halves
    their width, with dropout before the relu. Views: u_m by modality, "private_m", "shared_m" and
    "fused". What a clip lacks is zero, and T does not attend to it.

    inner, transform_dropout: of T, which has two heads as in the released code.

    MISA: Hazarika et al. 2020 (arXiv 2005.03545), sec. 3.3-3.5.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        width: int,
        dropout: float = 0.0,
        *,
        inner: int = 2048,
        transform_dropout: float = 0.1,
    ):
        super().__init__()
        self.order = tuple(widths)
        self.project = nn.ModuleDict(
            {m: nn.Sequential(nn.Linear(w, width), nn.ReLU(), nn.LayerNorm(width)) for m, w in
             widths.items()}
        )  # fmt: skip
        self.private = nn.ModuleDict({m: nn.Linear(width, width) for m in widths})
        self.shared = nn.Linear(width, width)
        self.transform = nn.TransformerEncoderLayer(
            width, 2, inner, transform_dropout, batch_first=True
        )
        self.width = len(widths) * width
        self.fuse = nn.Linear(2 * self.width, self.width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        vectors: Mapping[str, Float[Tensor, "batch _"]],
        present: Mapping[str, Bool[Tensor, "batch"]],
    ) -> tuple[dict[str, Float[Tensor, "batch _"]], dict[str, Bool[Tensor, "batch"]]]:
        kept = {m: present[m][:, None] for m in self.order}
        views = {m: self.project[m](vectors[m]) * kept[m] for m in self.order}
        private = {m: self.private[m](views[m]).sigmoid() * kept[m] for m in self.order}
        shared = {m: self.shared(views[m]).sigmoid() * kept[m] for m in self.order}
        views["fused"] = self._fuse([*private.values(), *shared.values()], [*kept.values()] * 2)
        there = dict(present)
        for kind, parts in (("private", private), ("shared", shared)):
            views |= {f"{kind}_{m}": part for m, part in parts.items()}
            there |= {f"{kind}_{m}": present[m] for m in self.order}
        return views, there

    def _fuse(
        self, parts: list[Float[Tensor, "batch width"]], kept: list[Bool[Tensor, "batch 1"]]
    ) -> Float[Tensor, "batch fused"]:
        mask = torch.cat(kept, dim=1)
        absent = ~mask & mask.any(1, keepdim=True)  # attention over nothing is undefined
        found = self.transform(torch.stack(parts, dim=1), src_key_padding_mask=absent)
        return F.relu(self.dropout(self.fuse((found * mask[:, :, None]).flatten(1))))
