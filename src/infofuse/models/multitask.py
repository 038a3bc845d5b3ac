"""A prediction of each modality alone beside the fused one."""

from collections.abc import Mapping

import torch
from torch import nn

from infofuse.encoders import Encoder
from infofuse.models.base import OfVectors, Presence, Vectors
from infofuse.types import Output


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
