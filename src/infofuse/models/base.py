"""Encode each modality as a vector, then see them together."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from jaxtyping import Bool, Float
from torch import Tensor, nn

from infofuse.encoders import Encoder
from infofuse.types import Batch, Output

Vectors = dict[str, Float[Tensor, "batch _"]]
Presence = dict[str, Bool[Tensor, "batch"]]


class OfVectors(nn.Module, ABC):
    """output = fuse({m: h_m}), h_m = encoder_m(x_m), zero where m is absent.

    encoders: by modality, in the order of fusion. Each sees its modality alone, so that what comes
    of modalities of different clips is known from their h_m by `fuse`, without encoding again.
    """

    def __init__(self, encoders: Mapping[str, Encoder]):
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)

    def forward(self, batch: Batch) -> Output:
        present = {m: batch.inputs[m].present for m in self.encoders}
        codes: Vectors = {
            m: encode(batch.inputs[m]) * present[m][:, None] for m, encode in self.encoders.items()
        }
        output = self.fuse(codes, present)
        output.codes = codes
        return output

    @abstractmethod
    def fuse(self, codes: Vectors, present: Presence) -> Output:
        """What the model says, given h_m of each modality and which clips have it."""
