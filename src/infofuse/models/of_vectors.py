"""The encoders of a model, and models that see the vectors of a clip together."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from jaxtyping import Bool, Float
from torch import Tensor, nn

from infofuse.encoders import Encoder, Reader
from infofuse.types import Batch, Clips, Output, Ragged

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
