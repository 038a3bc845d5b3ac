"""A recurrent encoder of feature sequences."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from infofuse.encoders.base import Encoder
from infofuse.encoders.standardize import Standardize
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Padded, Ragged


class LSTMEncoder(Encoder):
    """Linear(last state of an LSTM over the real steps), of shape (batch, width).

    modality: which feature sequence of the clips it reads. bidirectional: the last states of
    both directions side by side.
    """

    def __init__(
        self,
        modality: str,
        features: int,
        hidden: int,
        width: int,
        *,
        bidirectional: bool = False,
    ):
        super().__init__()
        self.modality, self.features, self.width = modality, features, width
        self.standardize = Standardize(features)
        self.lstm = nn.LSTM(features, hidden, bidirectional=bidirectional, batch_first=True)
        self.project = nn.Linear(hidden * (2 if bidirectional else 1), width)

    def column(self, clips: Clips) -> Ragged:
        column = clips.features.get(self.modality)
        if column is None:
            return Ragged.absent(len(clips), self.features)
        if column.width != self.features:
            raise InfofuseError(
                f"{self.modality} has {column.width} features a step here, and the model was built "
                f"for {self.features}: use data of the same feature set, or train on this one"
            )
        return column

    def blank(self) -> np.ndarray:
        return self.standardize.mean.numpy()

    def fit(self, clips: Clips) -> None:
        self.standardize.fit(self.column(clips))

    def forward(self, x: Padded) -> Float[Tensor, "batch width"]:
        steps = x.lengths.clamp(min=1).cpu()
        packed = pack_padded_sequence(
            self.standardize(x.values), steps, batch_first=True, enforce_sorted=False
        )
        _, (state, _) = self.lstm(packed)
        return self.project(torch.cat(list(state), dim=1))
