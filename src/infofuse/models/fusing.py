"""Encode each modality, fuse, predict: the shapes of most models of the field."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.encoders import Encoder, SequenceEncoder
from infofuse.models.of_vectors import OfVectors, Presence, Vectors
from infofuse.types import Batch, Output, Padded


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


class MultiTask(OfVectors):
    """p_v = head_v(v) for every view v: v_m = project_m(h_m), v_fused = project_fused([h_m]).

    The h_m are joined in the order of `encoders`. project, heads: by view, which is each modality
    and "fused". The fused view's prediction is the output's, those of the modalities are its
    `unimodal` ones.

    Yu et al. 2021 (arXiv 2102.04830), fig. 2.
    """

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        project: Mapping[str, nn.Module],
        heads: Mapping[str, nn.Module],
    ):
        super().__init__(encoders)
        self.project, self.heads = nn.ModuleDict(project), nn.ModuleDict(heads)

    def fuse(self, codes: Vectors, present: Presence) -> Output:
        views = {m: self.project[m](code) * present[m][:, None] for m, code in codes.items()}
        views["fused"] = self.project["fused"](torch.cat(list(codes.values()), dim=1))
        said = {name: self.heads[name](view) for name, view in views.items()}
        return Output(said.pop("fused"), views, present, said)


class SequenceFusion(nn.Module):
    """prediction = head(v_fused), {m: v_m}, v_fused = fusion({m: encoder_m(x_m)}).

    encoders: by modality, in the order of fusion. fusion: sequences by name to views by name, one
    a modality and "fused", whatever stands beyond a sequence's length; a view of an absent
    modality is set to zero here.
    """

    def __init__(self, encoders: Mapping[str, SequenceEncoder], fusion: nn.Module, head: nn.Module):
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)
        self.fusion, self.head = fusion, head

    def forward(self, batch: Batch) -> Output:
        present = {m: batch.inputs[m].present for m in self.encoders}
        sequences: dict[str, Padded] = {
            m: encode(batch.inputs[m]) for m, encode in self.encoders.items()
        }
        views: dict[str, Float[Tensor, "batch _"]] = self.fusion(sequences)
        views |= {m: views[m] * there[:, None] for m, there in present.items()}
        return Output(self.head(views["fused"]), views, present)
