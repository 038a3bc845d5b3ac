"""Encode each modality, fuse, predict: the shape of most models of the field."""

from collections.abc import Mapping

from torch import nn

from infofuse.encoders import Encoder
from infofuse.models.base import OfVectors, Presence, Vectors
from infofuse.types import Output


class LateFusion(OfVectors):
    """prediction = head(fusion(h_1, ..., h_k)).

    fusion: views by name to one vector. The views of the output are one a modality, the h_m, and
    "fused".
    """

    def __init__(self, encoders: Mapping[str, Encoder], fusion: nn.Module, head: nn.Module):
        super().__init__(encoders)
        self.fusion, self.head = fusion, head

    def fuse(self, codes: Vectors, present: Presence) -> Output:
        fused = self.fusion(codes)
        return Output(self.head(fused), codes | {"fused": fused}, present)
