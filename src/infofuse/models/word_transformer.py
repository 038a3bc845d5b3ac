"""A transformer over features of words, where there is no pretrained language model."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.encoders import LanguageModel, Words
from infofuse.encoders.frames import FeatureReader
from infofuse.encoders.packed import unpack
from infofuse.encoders.words import Change
from infofuse.fusion.attention import Block, Dropouts, sinusoids
from infofuse.types import Padded, Size


class WordTransformer(FeatureReader, LanguageModel):
    """Transformer layers over [CLS] and the projected features of a clip's words, from scratch.

    Each word is one token, at its position by `sinusoids`; [CLS] stands for the clip.
    """

    def __init__(self, features: int, width: int, heads: int, layers: int, dropout: float = 0.0):
        super().__init__("text", features)
        self.width, self.depth = width, layers
        self.project = nn.Linear(features, width)
        self.first = nn.Parameter(0.02 * torch.randn(width))
        dropouts = Dropouts(dropout, dropout, dropout)
        self.blocks = nn.ModuleList(Block(width, heads, dropouts, F.gelu) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def nothing(self, clips: Size, device: torch.device) -> Padded:
        none = torch.zeros(clips, dtype=torch.long, device=device)
        return Padded(none[:, None, None].expand(-1, 1, self.features).float(), none)

    def words(self, x: Padded) -> Words:
        place = torch.arange(x.values.shape[1], device=x.lengths.device) * x.mask
        mask = F.pad(x.mask, (1, 0), value=True)
        return Words(mask, torch.cat([-x.lengths[:, None], place], 1), x.lengths.clamp(min=1))

    def summary(self, x: Padded, layer: int, change: Change) -> Float[Tensor, "batch width"]:
        mask = self.words(x).mask
        steps = self.project(self.standardize(x.values))
        states = torch.cat([self.first.expand(steps.shape[0], 1, -1), steps], dim=1)
        states = states + sinusoids(*states.shape[1:]).to(states)
        for number, block in enumerate(self.blocks):
            if number == layer:
                states = unpack(change(states[mask]), mask)
            states = block(states, mask[:, None])
        return self.norm(states[:, 0])
