"""Encode each modality as a vector, let a fusion make named views of them, predict."""

from collections.abc import Mapping

from torch import nn

from infofuse.encoders import Encoder
from infofuse.types import Batch, Output


class VectorFusion(nn.Module):
    """prediction = head(v_fused), (v, present) = fusion({m: h_m}, present), h_m = encoder_m(x_m).

    encoders: by modality, in the order of fusion; h_m is zero where m is absent. fusion: vectors
    by name, and which clips have them, to views by name, one a modality, "fused" and others, and
    which clips have these. For a fusion that makes no view but "fused" there is `LateFusion`.
    """

    def __init__(self, encoders: Mapping[str, Encoder], fusion: nn.Module, head: nn.Module):
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)
        self.fusion, self.head = fusion, head

    def forward(self, batch: Batch) -> Output:
        present = {m: batch.inputs[m].present for m in self.encoders}
        vectors = {
            m: encode(batch.inputs[m]) * present[m][:, None] for m, encode in self.encoders.items()
        }
        views, present = self.fusion(vectors, present)
        return Output(self.head(views["fused"]), views, present)
