"""Fusion by attention of each modality's sequence to every other's."""

from collections.abc import Mapping
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.fusion.attention import Dropouts, Transformer
from infofuse.types import Padded


class CrossmodalFusion(nn.Module):
    """h_m = last step of S_m([C_{n->m}(X_m, X_n) for n != m]), fused = h + W2 dropout(relu(W1 h)).

    X_m = Conv1d(frames of m), of `width`; C_{n->m} a transformer from n onto m, S_m one of the
    joined steps over themselves, h the h_m side by side. A source that a clip lacks adds nothing
    to the attention, the view of a modality that it lacks is zero. A modality alone has no C: S
    reads its X.

    widths: of each modality's steps, by name. kernels: of its convolution. attention: chance of
    dropping the attention weights to a source; of the rest `dropouts`, of text before its
    convolution `text_dropout`, within W2's input `output_dropout`.

    MulT: Tsai et al. 2019 (arXiv 1906.00295), sec. 3; `release` as in `Transformer`.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        width: int,
        heads: int,
        layers: int,
        memory_layers: int,
        *,
        kernels: Mapping[str, int],
        attention: Mapping[str, float],
        dropouts: Dropouts,
        text_dropout: float = 0.0,
        output_dropout: float = 0.0,
        release: bool = False,
    ):
        super().__init__()
        if min(kernels[m] for m in widths) < 1:
            raise ValueError(f"a convolution sees one step at least; found {dict(kernels)}")
        self.order = tuple(widths)
        self.sources = {m: tuple(n for n in widths if n != m) for m in widths}
        joined = width * max(len(widths) - 1, 1)
        self.text_dropout = nn.Dropout(text_dropout)
        self.convolve = nn.ModuleDict(
            {m: nn.Conv1d(widths[m], width, kernels[m], padding="same", bias=False) for m in widths}
        )
        self.onto = nn.ModuleDict(
            {
                f"{n}_{m}": Transformer(
                    width, heads, layers, replace(dropouts, attention=attention[n]), release=release
                )
                for m in widths
                for n in self.sources[m]
            }
        )
        self.memory = nn.ModuleDict(
            {
                m: Transformer(joined, heads, memory_layers, dropouts, release=release)
                for m in widths
            }
        )
        self.width = joined * len(widths)
        self.first = nn.Linear(self.width, self.width)
        self.second = nn.Linear(self.width, self.width)
        self.output_dropout = nn.Dropout(output_dropout)

    def forward(self, sequences: Mapping[str, Padded]) -> dict[str, Float[Tensor, "batch _"]]:
        frames = {m: self._convolve(m, sequences[m]) for m in self.order}
        views = {m: self._view(m, frames) for m in self.order}
        joined = torch.cat([views[m] for m in self.order], dim=1)
        inside = self.output_dropout(F.relu(self.first(joined)))
        return views | {"fused": joined + self.second(inside)}

    def _convolve(self, name: str, x: Padded) -> Padded:
        values = x.values.masked_fill(~x.mask[:, :, None], 0)
        if name == "text":
            values = self.text_dropout(values)
        return Padded(self.convolve[name](values.transpose(1, 2)).transpose(1, 2), x.lengths)

    def _view(self, name: str, frames: Mapping[str, Padded]) -> Float[Tensor, "batch width"]:
        return self.memory[name](self._attended(name, frames)).last * frames[name].present[:, None]

    def _attended(self, name: str, frames: Mapping[str, Padded]) -> Padded:
        """The steps of a modality as each of the others informs them, side by side."""
        if not self.sources[name]:
            return frames[name]
        parts = [self.onto[f"{n}_{name}"](frames[name], frames[n]) for n in self.sources[name]]
        return Padded(torch.cat([p.values for p in parts], dim=2), frames[name].lengths)
