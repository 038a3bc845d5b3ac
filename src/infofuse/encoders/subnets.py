"""One vector per clip from the steps of a sequence: TFN's subnetworks, which others took over.

Zadeh et al. 2017 (arXiv 1707.07250), section 4.1: an LSTM for the words, and for each other
modality a network on the mean of its frames.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.encoders.encoder import Encoder, SequenceEncoder
from infofuse.encoders.recurrent import last_state
from infofuse.types import Clips, Padded, Ragged


class Subnet(Encoder):
    """Reads what its sequence encoder `steps` reads, and makes one vector of all its steps."""

    def __init__(self, steps: SequenceEncoder, width: int, dropout: float):
        super().__init__()
        self.steps, self.width = steps, width
        self.dropout = nn.Dropout(dropout)

    def column(self, clips: Clips) -> Ragged:
        return self.steps.column(clips)

    def blank(self) -> np.ndarray:
        return self.steps.blank()

    def fit(self, clips: Clips) -> None:
        self.steps.fit(clips)


class LSTMSubnet(Subnet):
    """W dropout(last state of an LSTM over the steps) + b, of shape (batch, width)."""

    def __init__(self, steps: SequenceEncoder, hidden: int, width: int, dropout: float = 0.0):
        super().__init__(steps, width, dropout)
        self.lstm = nn.LSTM(steps.width, hidden, batch_first=True)
        self.project = nn.Linear(hidden, width)

    def forward(self, x: Padded) -> Float[Tensor, "batch width"]:
        return self.project(self.dropout(last_state(self.lstm, self.steps(x))))


class MeanSubnet(Subnet):
    """Three layers relu(W x + b) on dropout(mean of the real steps), of shape (batch, width)."""

    def __init__(self, steps: SequenceEncoder, width: int, dropout: float = 0.0):
        super().__init__(steps, width, dropout)
        sizes = (steps.width, width, width, width)
        self.layers = nn.ModuleList(map(nn.Linear, sizes[:-1], sizes[1:]))

    def forward(self, x: Padded) -> Float[Tensor, "batch width"]:
        y = self.dropout(self.steps(x).mean)
        for layer in self.layers:
            y = torch.relu(layer(y))
        return y
