"""Encode each modality as a vector, let a fusion make named views of them, predict."""

from collections.abc import Mapping

from torch import nn

from infofuse.encoders import Encoder
from infofuse.models.base import OfVectors, Presence, Vectors
from infofuse.types import Output


class VectorFusion(OfVectors):
    """prediction = head(v_fused), (v, present) = fusion({m: h_m}, present).

    fusion: vectors by name, and which clips have them, to views by name, one a modality, "fused"
    and others, and which clips have these. For a fusion that makes no view but "fused" there is
    `LateFusion`.
    """

    def __init__(self, encoders: Mapping[str, Encoder], fusion: nn.Module, head: nn.Module):
        super().__init__(encoders)
        self.fusion, self.head = fusion, head

    def fuse(self, codes: Vectors, present: Presence) -> Output:
        views, present = self.fusion(codes, present)
        return Output(self.head(views["fused"]), views, present)
