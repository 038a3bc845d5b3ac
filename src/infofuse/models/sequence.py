"""Encode each modality as a sequence, fuse the sequences, predict."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn

from infofuse.encoders import SequenceEncoder
from infofuse.types import Batch, Output, Padded


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
