"""Early fusion: one LSTM over all modalities' frames."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.encoders.recurrent import states
from infofuse.fusion.align import align
from infofuse.types import Padded


class EarlyLSTM(nn.Module):
    """Z = dropout(relu(W dropout(h_T) + b)), h = LSTM([x_1; ...; x_k]), of shape (batch, hidden).

    [x_1; ...; x_k]: all modalities' frames at each step of a common time base (see `align`). h_T:
    the top layer's state after a clip's last step. The view of a modality is its mean frame.

    widths: of a frame, by modality. dropout: also between layers.
    """

    def __init__(
        self, widths: Mapping[str, int], hidden: int, layers: int = 1, dropout: float = 0.0
    ):
        super().__init__()
        self.order = tuple(widths)
        between = dropout if layers > 1 else 0.0
        self.lstm = nn.LSTM(sum(widths.values()), hidden, layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(hidden, hidden)

    def forward(self, sequences: Mapping[str, Padded]) -> dict[str, Float[Tensor, "batch _"]]:
        frames = align(sequences)
        lengths = frames[self.order[0]].lengths
        joined = torch.cat([frames[m].values for m in self.order], dim=2)
        state = self.dropout(Padded(states(self.lstm, joined), lengths).last)
        views = {m: frames[m].mean for m in self.order}
        return views | {"fused": self.dropout(torch.relu(self.project(state)))}
