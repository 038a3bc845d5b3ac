"""Two recurrent layers, both of whose last states are read."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.encoders.encoder import Encoder
from infofuse.encoders.frames import FeatureReader
from infofuse.encoders.recurrent import ends, run
from infofuse.types import Padded


class StackedLSTM(FeatureReader, Encoder):
    """[s_1, s_2], of shape (batch, 4 hidden): last states of two bidirectional LSTMs.

    The second reads the layer-normalised states of the first; of each state the forward and the
    backward half lie together. modality, features: as for `Frames`.

    Hazarika et al. 2020 (arXiv 2005.03545), the stacked bidirectional LSTM of sec. 3.3, as in its
    code, whose hidden states are as wide as the features.
    """

    def __init__(self, modality: str, features: int, hidden: int):
        super().__init__(modality, features)
        self.width = 4 * hidden
        self.first = nn.LSTM(features, hidden, bidirectional=True, batch_first=True)
        self.norm = nn.LayerNorm(2 * hidden)
        self.second = nn.LSTM(2 * hidden, hidden, bidirectional=True, batch_first=True)

    def forward(self, x: Padded) -> Float[Tensor, "batch width"]:
        first = run(self.first, Padded(self.standardize(x.values), x.lengths))
        second = run(self.second, Padded(self.norm(first.values), first.lengths))
        return torch.cat([ends(first, True), ends(second, True)], dim=1)
