"""Encode each modality, fuse, predict: the shape of most models of the field."""

from collections.abc import Mapping

from torch import nn

from infofuse.encoders import Encoder, Reader
from infofuse.models.base import OfVectors, Presence, Vectors
from infofuse.types import Clips, Output, Ragged


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


def columns(model: nn.Module, clips: Clips) -> dict[str, Ragged]:
    """What the model's encoders read of these clips, by modality."""
    return {name: encoder.column(clips) for name, encoder in encoders(model).items()}


def fit_inputs(model: nn.Module, clips: Clips) -> None:
    """Let the model's encoders take the statistics of their input from the training clips."""
    for encoder in encoders(model).values():
        encoder.fit(clips)


def encoders(model: nn.Module) -> dict[str, Reader]:
    """The model's encoders by modality."""
    return dict(model.encoders.items())  # type: ignore[operator, union-attr]
