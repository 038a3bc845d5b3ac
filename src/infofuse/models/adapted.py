"""A language model whose states are adapted to the other modalities on their way."""

from collections.abc import Mapping

from jaxtyping import Bool, Float
from torch import Tensor, nn

from infofuse.encoders import LanguageModel, SequenceEncoder
from infofuse.encoders.packed import unpack
from infofuse.fusion.adaptation import AdaptationGate, beside_words
from infofuse.types import Batch, Output


class AdaptedLanguageModel(nn.Module):
    """prediction = head(dropout s), s a language model's summary, its states before `layer` gated.

    language: the model that reads the text. others: encoders of the steps beside the words. gate:
    what shifts a token's state by what its word has beside it. A clip without text is one token,
    to which all its frames belong; without `reads_text` every clip is.

    Views: of text the mean of the states before the gate, of another modality the gate's linear
    map of its mean step, and "fused", which is s.
    """

    def __init__(
        self,
        language: LanguageModel,
        others: Mapping[str, SequenceEncoder],
        gate: AdaptationGate,
        head: nn.Module,
        *,
        layer: int,
        dropout: float = 0.0,
        reads_text: bool = True,
    ):
        super().__init__()
        self.encoders = nn.ModuleDict({"text": language, **others} if reads_text else others)
        self.unread = None if reads_text else language
        self.others, self.layer = tuple(others), layer
        self.gate, self.head, self.dropout = gate, head, nn.Dropout(dropout)

    def forward(self, batch: Batch) -> Output:
        present = {m: batch.inputs[m].present for m in self.encoders}
        steps = {m: self.encoders[m](batch.inputs[m]) for m in self.others}
        views = {m: self.gate.value[m](x.mean) for m, x in steps.items()}
        language: LanguageModel = self.unread or self.encoders["text"]  # type: ignore[assignment]
        text = (
            batch.inputs["text"]
            if self.unread is None
            else language.nothing(batch.index.shape[0], batch.index.device)
        )
        mask, place, number = language.words(text)
        clip = mask.nonzero()[:, 0]
        beside = {m: beside_words(x, place, number)[mask] for m, x in steps.items()}
        there = {m: present[m][clip] for m in self.others}

        def change(z: Float[Tensor, "tokens width"]) -> Float[Tensor, "tokens width"]:
            views["text"] = _clip_means(z, mask)
            return self.gate(z, beside, there)

        summary = language.summary(text, self.layer, change)
        views = {m: views[m] * here[:, None] for m, here in present.items()}
        return Output(self.head(self.dropout(summary)), views | {"fused": summary}, present)


def _clip_means(
    z: Float[Tensor, "tokens width"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, "batch width"]:
    """The mean over each clip's tokens, of which it has at least one."""
    return unpack(z, mask).sum(1) / mask.sum(1)[:, None]
