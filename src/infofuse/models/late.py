"""Encode each modality, fuse, predict: the shape of most models of the field."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn

from infofuse.encoders import Encoder, Reader
from infofuse.types import Batch, Clips, Output, Ragged


class LateFusion(nn.Module):
    """prediction = head(fusion(h_1, ..., h_k)), h_m = encoder_m(x_m), zero where m is absent.

    encoders: by modality, in the order of fusion. fusion: views by name to one vector. The views
    of the output are one a modality and "fused".
    """

    def __init__(self, encoders: Mapping[str, Encoder], fusion: nn.Module, head: nn.Module):
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)
        self.fusion, self.head = fusion, head

    def forward(self, batch: Batch) -> Output:
        present = {m: batch.inputs[m].present for m in self.encoders}
        views: dict[str, Float[Tensor, "batch _"]] = {
            m: encode(batch.inputs[m]) * present[m][:, None] for m, encode in self.encoders.items()
        }
        views["fused"] = self.fusion(views)
        return Output(self.head(views["fused"]), views, present)


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
