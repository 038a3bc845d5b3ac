"""A language model whose states are adapted to the other modalities on their way."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from infofuse.encoders import SequenceEncoder, WordPieces
from infofuse.encoders.text import attended
from infofuse.fusion.adaptation import AdaptationGate, beside_words
from infofuse.types import Batch, Output, Padded


class AdaptedLanguageModel(nn.Module):
    """prediction = head(dropout s), s a language model's summary, its states before `layer` gated.

    words: the language model and its reader. others: encoders of the steps beside the words.
    gate: what shifts a token's state by what its word has beside it. A clip without text is one
    placeholder token, token 0, to which all its frames belong; without `reads_text` every clip is.

    Views: of text the mean of the states before the gate, of another modality the gate's linear
    map of its mean step, and "fused", which is s.
    """

    def __init__(
        self,
        words: WordPieces,
        others: Mapping[str, SequenceEncoder],
        gate: AdaptationGate,
        head: nn.Module,
        *,
        layer: int,
        dropout: float = 0.0,
        reads_text: bool = True,
    ):
        super().__init__()
        self.encoders = nn.ModuleDict({"text": words, **others} if reads_text else others)
        self.unread = None if reads_text else words
        self.others, self.layer = tuple(others), layer
        self.gate, self.head, self.dropout = gate, head, nn.Dropout(dropout)

    def forward(self, batch: Batch) -> Output:
        present = {m: batch.inputs[m].present for m in self.encoders}
        steps = {m: self.encoders[m](batch.inputs[m]) for m in self.others}
        pieces = self._pieces(batch)
        mask = attended(pieces)
        clip = mask.nonzero()[:, 0]
        word = pieces.values[:, :, 1]
        words = (-word).amax(1).clamp(min=1)
        beside = {m: beside_words(x, word, words)[mask] for m, x in steps.items()}
        there = {m: present[m][clip] for m in self.others}
        views = {m: self.gate.value[m](_mean(x)) for m, x in steps.items()}

        def change(z: Float[Tensor, "tokens width"]) -> Float[Tensor, "tokens width"]:
            views["text"] = _clip_means(z, clip, mask)
            return self.gate(z, beside, there)

        summary = self._language.summary(pieces.values[:, :, 0], mask, self.layer, change)
        views = {m: views[m] * there[:, None] for m, there in present.items()}
        views["fused"] = summary
        return Output(self.head(self.dropout(summary)), views, present)

    @property
    def _language(self) -> WordPieces:
        return self.encoders["text"] if self.unread is None else self.unread  # type: ignore[return-value]

    def _pieces(self, batch: Batch) -> Padded:
        """The tokens and their words, zero beyond the lengths, whatever the batch holds there."""
        if self.unread is not None:
            return Padded(batch.index.new_zeros(len(batch), 1, 2), torch.zeros_like(batch.index))
        x = batch.inputs["text"]
        return Padded(x.values.masked_fill(~x.mask[:, :, None], 0), x.lengths)


def _mean(x: Padded) -> Float[Tensor, "batch width"]:
    """The mean over each clip's steps, zeros for a clip without any."""
    total = x.values.masked_fill(~x.mask[:, :, None], 0).sum(1)
    return total / x.lengths.clamp(min=1)[:, None]


def _clip_means(
    z: Float[Tensor, "tokens width"], clip: Int[Tensor, "tokens"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, "batch width"]:
    """The mean over each clip's tokens, of which it has at least one."""
    total = z.new_zeros(len(mask), z.shape[1]).index_add(0, clip, z)
    return total / mask.sum(1)[:, None]
