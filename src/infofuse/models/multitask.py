"""A prediction of each modality alone beside the fused one."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.encoders import Encoder
from infofuse.types import Batch, Output


class MultiTask(nn.Module):
    """p_v = head_v(h_v) for every view v: h_m = project_m(e_m), h_fused = project_fused([e_m]).

    e_m = encoder_m(x_m), zero where m is absent; they are joined in the order of `encoders`.
    project, heads: by view, which is each modality and "fused". The fused view's prediction is
    the output's, those of the modalities are its `unimodal` ones.

    Yu et al. 2021 (arXiv 2102.04830), fig. 2.
    """

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        project: Mapping[str, nn.Module],
        heads: Mapping[str, nn.Module],
    ):
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)
        self.project, self.heads = nn.ModuleDict(project), nn.ModuleDict(heads)

    def forward(self, batch: Batch) -> Output:
        present = {m: batch.inputs[m].present for m in self.encoders}
        encoded: dict[str, Float[Tensor, "batch _"]] = {
            m: encode(batch.inputs[m]) * present[m][:, None] for m, encode in self.encoders.items()
        }
        views = {m: self.project[m](encoded[m]) * present[m][:, None] for m in encoded}
        views["fused"] = self.project["fused"](torch.cat(list(encoded.values()), dim=1))
        said = {name: self.heads[name](view) for name, view in views.items()}
        return Output(said.pop("fused"), views, present, said)
