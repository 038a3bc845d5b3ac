"""Recurrent encoders of sequences."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from infofuse.encoders.base import Encoder
from infofuse.encoders.frames import FeatureReader
from infofuse.types import Padded


def run(lstm: nn.LSTM, x: Padded) -> Padded:
    """The top layer's states of the real steps, both directions' side by side, zero beyond them.

    A clip without steps has one, of padding.
    """
    steps = x.lengths.clamp(min=1)
    packed = pack_padded_sequence(x.values, steps.cpu(), batch_first=True, enforce_sorted=False)
    values, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True)
    return Padded(values, steps)


def last_state(lstm: nn.LSTM, x: Padded) -> Float[Tensor, "batch states"]:
    """The top layer's state after the last real step, (batch, states), both directions' if two.

    A clip without steps has the state after one step of padding.
    """
    return ends(run(lstm, x), lstm.bidirectional)


def ends(states: Padded, bidirectional: bool) -> Float[Tensor, "batch states"]:
    """Of `run`'s states each direction's last: forward at the last step, backward at the first."""
    if not bidirectional:
        return states.last
    hidden = states.values.shape[2] // 2
    return torch.cat([states.last[:, :hidden], states.values[:, 0, hidden:]], dim=1)


class LSTMEncoder(FeatureReader, Encoder):
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
        super().__init__(modality, features)
        self.width = width
        self.lstm = nn.LSTM(features, hidden, bidirectional=bidirectional, batch_first=True)
        self.project = nn.Linear(hidden * (2 if bidirectional else 1), width)

    def forward(self, x: Padded) -> Float[Tensor, "batch width"]:
        frames = Padded(self.standardize(x.values), x.lengths)
        return self.project(last_state(self.lstm, frames))
